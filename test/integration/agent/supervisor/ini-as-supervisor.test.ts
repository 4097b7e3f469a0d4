import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { environmentPairs } from '../../../../packages/agent/src/supervisor/environment-pairs.ts';
import { expandValue } from '../../../../packages/agent/src/supervisor/expand-value.ts';
import { IniFault, parseIni } from '../../../../packages/agent/src/supervisor/ini.ts';
import { commandLine } from '../../../../packages/agent/src/supervisor/value-checks.ts';
import { programPath, requires } from '../../../helpers/requires.ts';

/** Asks supervisor's own Python: `expression` of each text `t`, null where it raises ValueError. */
function asSupervisor(expression: string, texts: readonly string[]): unknown[] {
  const script = `
import io, json, shlex, sys, tempfile
from configparser import Error
from supervisor.options import UnhosedConfigParser, expand
from supervisor.datatypes import dict_of_key_value_pairs
def read(text):
    with tempfile.NamedTemporaryFile('w', newline='', encoding='utf-8') as f:
        f.write(text); f.flush()
        p = UnhosedConfigParser(); p.read(f.name)
    return {s: dict(p.items(s)) for s in p.sections()}
def attempt(t):
    try: return ${expression}
    except (ValueError, Error): return None
print(json.dumps([attempt(t) for t in json.load(sys.stdin)]))`;
  const { stdout, stderr } = spawnSync(supervisorPython(), ['-c', script], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    env: { ...process.env, PYTHONWARNINGS: 'ignore', PYTHONUTF8: '1' },
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout);
}

/** The interpreter that has the supervisor package need not be the first python3 in the PATH. */
function supervisorPython(): string {
  const [firstLine = ''] = readFileSync(programPath('supervisord') ?? '', 'utf8').split('\n');
  return firstLine.replace(/^#!\s*/, '').split(' ')[0] ?? 'python3';
}

function asWe(text: string): unknown {
  try {
    return Object.fromEntries(
      [...parseIni(text)].map(([name, { values }]) => [
        name,
        Object.fromEntries([...values].map(([key, value]) => [key, value.text])),
      ]),
    );
  } catch (error) {
    if (error instanceof IniFault) return null;
    throw error;
  }
}

/** The seed is fixed by the name of the property: a failure today is a failure tomorrow. */
function samples<T>(arbitrary: fc.Arbitrary<T>, name: string): T[] {
  return fc.sample(arbitrary, { numRuns: 3000, seed: createHash('sha256').update(name).digest().readInt32BE() });
}

const pieces = (...parts: string[]) =>
  fc.array(fc.constantFrom(...parts), { maxLength: 14 }).map((found) => found.join(''));

describe.runIf(requires('supervisord'))('what we read is what supervisor reads', () => {
  it('sections, keys and values of any text', () => {
    const texts = samples(
      pieces(
        '[program:a]',
        '[b]',
        '[b] c]',
        '[',
        ']',
        '\n',
        '\n',
        '\n',
        '\r\n',
        '\r',
        ' ',
        '\t',
        '  ',
        'key',
        'KEY',
        'é',
        '=',
        ':',
        ';',
        '#',
        ' ;',
        ' #',
        'x y',
        '%',
        '\u3000',
      ),
      'ini',
    );
    const expected = asSupervisor('read(t)', texts);
    texts.forEach((text, index) => {
      expect([text, asWe(text)]).toEqual([text, expected[index]]);
    });
  });

  it('values with %, where we do not refuse them', () => {
    const texts = samples(
      pieces('%', '%%', '(n)', '(s)', 's', 'd', '0', '2', '12', '-', 'x', ' ', '(no)', '%(n)d', '%(s)s', '%(n)02d'),
      'expand',
    );
    const expected = asSupervisor('expand(t, {"n": 7, "s": "text"}, "key")', texts);
    const names = new Map<string, string | number>([
      ['n', 7],
      ['s', 'text'],
    ]);
    const ours = texts.map((text) => expandValue(text, names));
    ours.forEach((result, index) => {
      if (result.ok) expect([texts[index], result.text]).toEqual([texts[index], expected[index]]);
    });
    expect(ours.filter(({ ok }) => ok).length).toBeGreaterThan(300);
  });

  it('environment=, where we do not refuse it', () => {
    const texts = samples(
      pieces('A', 'B_1', '=', '=', ',', '"', "'", 'x', '/y.z', ' ', '"q,r"', "'#'", '#', 'A="1"', ',B=2', '\n', '@'),
      'environment',
    );
    const expected = asSupervisor('dict_of_key_value_pairs(t)', texts);
    let accepted = 0;
    texts.forEach((text, index) => {
      const pairs = environmentPairs(text);
      if (!pairs) return;
      accepted += 1;
      expect([text, Object.fromEntries(pairs)]).toEqual([text, expected[index]]);
    });
    expect(accepted).toBeGreaterThan(100);
  });

  it('which command lines can be split', () => {
    const texts = samples(pieces('a', ' ', '"', "'", '\\', 'b', '\n', '#', '%'), 'command');
    const expected = asSupervisor('len(shlex.split(t)) > 0', texts);
    texts.forEach((text, index) => {
      expect([text, commandLine(text) === undefined]).toEqual([text, expected[index] === true]);
    });
  });
});
