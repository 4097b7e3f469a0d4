type Collect = (options: { type: 'major' | 'minor'; execution?: 'sync'; flavor?: 'last-resort' }) => void;

let known: Collect | undefined;

/** V8's own `gc`: global where Node was started with --expose-gc; without, a new context has it once the flag is set. */
export function garbageCollector(): Collect {
  known ??= (globalThis.gc as Collect | undefined) ?? fromNewContext();
  return known;
}

/** What it takes is loaded only here: an unpacker, which is started with the flag, starts 2 ms sooner without. */
function fromNewContext(): Collect {
  process.getBuiltinModule('node:v8').setFlagsFromString('--expose-gc');
  return process.getBuiltinModule('node:vm').runInNewContext('gc') as Collect;
}
