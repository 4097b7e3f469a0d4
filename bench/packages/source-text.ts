import { Random } from './random.ts';

const SYLLABLES =
  'get set is has make load save parse find user item order cart price node path file name type list'.split(' ');
const SHAPES = [
  (w: () => string) => `  public function ${w()}($${w()}, array $${w()} = []) {`,
  (w: () => string) => `    $this->${w()}->${w()}($${w()}['${w()}'], ${w()}::${w()}());`,
  (w: () => string) => `    if (!$${w()}->${w()}()) { throw new ${w()}('${w()} ${w()} ${w()}'); }`,
  (w: () => string) => `    return $${w()}->${w()}(fn ($${w()}) => $${w()}->${w()} + ${w().length});`,
  (w: () => string) => `   * ${w()} the ${w()} of ${w()} when ${w()} or ${w()} is ${w()}`,
  () => '  }',
];

/**
 * Text that looks like source code and compresses like it. Files take pieces of one text: deflate looks back 32 KiB only,
 * so a piece that occurs in two files makes neither smaller.
 */
export class SourceText {
  readonly #text: Buffer;
  readonly #random: Random;

  constructor(seed: number, bytes: number) {
    this.#random = new Random(seed);
    const words = Array.from({ length: 4000 }, () => this.#word());
    // Squared: some words are everywhere, most are rare.
    const word = () => words[Math.floor(this.#random.next() ** 2 * words.length)] ?? '';
    const lines: string[] = [];
    for (let length = 0; length < bytes; ) {
      const line = this.#random.pick(SHAPES)(word);
      lines.push(line);
      length += line.length + 1;
    }
    this.#text = Buffer.from(`${lines.join('\n')}\n`);
  }

  /** A piece of this many bytes, another one each time. */
  piece(bytes: number): Buffer {
    const parts: Buffer[] = [];
    for (let left = bytes; left > 0; ) {
      const start = this.#random.below(this.#text.length);
      const part = this.#text.subarray(start, start + left);
      parts.push(part);
      left -= part.length;
    }
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }

  #word(): string {
    const count = 1 + this.#random.below(3);
    const parts = Array.from({ length: count }, () => this.#random.pick(SYLLABLES));
    return parts.join('_') + this.#random.below(100);
  }
}
