import { isDeepStrictEqual } from 'node:util';
import type { Answer } from './ask.ts';
import type { Fleet } from './fleet.ts';
import { paint, print } from './print.ts';

/** What an answer must be: the whole body, with a pattern where the exact words depend on the machine. */
export type Expected = unknown;

/** Calls the API as a person with curl would, prints both sides, and counts what was not as it should be. */
export class Caller {
  readonly #fleet: Fleet;
  answers = 0;
  wrong = 0;

  constructor(fleet: Fleet) {
    this.#fleet = fleet;
  }

  async post(path: string, body: unknown, expected: Expected): Promise<void> {
    const json = JSON.stringify(body);
    const url = this.#fleet.controllerUrl + path;
    this.#print(`${url} -d '${json.replaceAll("'", "'\\''")}'`);
    await this.#answer(() => this.#fleet.ask(url, { body: json }), expected);
  }

  async get(path: string, query: Record<string, string>, expected: Expected): Promise<void> {
    const url = `${this.#fleet.controllerUrl}${path}?${new URLSearchParams(query).toString().replaceAll('%2C', ',').replaceAll('%3A', ':')}`;
    this.#print(`'${url}'`);
    await this.#answer(() => this.#fleet.ask(url), expected);
  }

  /** Anything else that is worth seeing: a program's own answer, a link on a disk. */
  async see(command: string, look: () => Promise<string>, expected: string): Promise<void> {
    print(paint('cyan', `$ ${command}`));
    const seen = (await look()).trimEnd();
    print(`${seen}  ${this.#judge(seen === expected, `expected ${expected}`)}`);
  }

  /** The token is read from a file: on a command line, everybody on the machine could read it. */
  #print(rest: string): void {
    const { caFile, tokenFile } = this.#fleet;
    print(paint('cyan', `$ curl -s --cacert ${caFile} -H @${tokenFile} ${rest}`));
  }

  async #answer(call: () => Promise<Answer>, expected: Expected): Promise<void> {
    const started = performance.now();
    const { status, text } = await call();
    const seconds = ((performance.now() - started) / 1000).toFixed(2);
    const fits = matches(parse(text), expected);
    print(text.trimEnd());
    print(
      `${this.#judge(fits, `expected ${JSON.stringify(expected, patterns)}`)} ${paint('gray', `HTTP ${status}, ${seconds} s`)}`,
    );
  }

  #judge(ok: boolean, otherwise: string): string {
    this.answers += 1;
    if (ok) return paint('green', '✓');
    this.wrong += 1;
    return paint('red', `✗ ${otherwise}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Deep equality, in which a RegExp stands for any text that it matches. */
function matches(found: unknown, expected: Expected): boolean {
  if (expected instanceof RegExp) return typeof found === 'string' && expected.test(found);
  if (typeof expected !== 'object' || expected === null || typeof found !== 'object' || found === null) {
    return isDeepStrictEqual(found, expected);
  }
  const left = Object.entries(found);
  const right = new Map(Object.entries(expected));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && matches(value, right.get(key)));
}

function patterns(_key: string, value: unknown): unknown {
  return value instanceof RegExp ? String(value) : value;
}
