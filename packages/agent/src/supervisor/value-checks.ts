/** Says what was expected when a value is not one that supervisor takes; undefined when it is. */
export type ValueCheck = (text: string) => string | undefined;

/** XML-RPC carries no larger number, and one that is larger breaks `avail` for every program of the host. */
const MAX_INT = 2 ** 31 - 1;
const SIZE_UNITS = { '': 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 };
/** The signals that supervisor documents, and the one that php-fpm and Apache stop gracefully on. */
const SIGNALS = { TERM: 15, HUP: 1, INT: 2, QUIT: 3, KILL: 9, USR1: 10, USR2: 12, WINCH: 28 };

export const boolean: ValueCheck = (text) =>
  /^(yes|true|on|1|no|false|off|0)$/i.test(text) ? undefined : 'true or false';

export const autoRestart: ValueCheck = (text) =>
  boolean(text) === undefined || /^unexpected$/i.test(text) ? undefined : 'true, false or unexpected';

/** A whole number in a range, bounds included. */
export const integer =
  (min: number, max: number = MAX_INT): ValueCheck =>
  (text) =>
    /^[+-]?\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max
      ? undefined
      : `a whole number from ${min} to ${max}`;

export const byteSize: ValueCheck = (text) => {
  const [, number, unit = ''] = /^(\d{1,10}) ?(KB|MB|GB)?$/i.exec(text) ?? [];
  const bytes = Number(number) * SIZE_UNITS[unit.toUpperCase() as keyof typeof SIZE_UNITS];
  return bytes <= MAX_INT ? undefined : 'a size such as 50MB, at most 2047MB';
};

export const exitCodes: ValueCheck = (text) =>
  text === '' || text.split(',').every((code) => integer(0, 255)(code.trim()) === undefined)
    ? undefined
    : 'exit codes from 0 to 255, separated by commas';

export const octalMode: ValueCheck = (text) => (/^0?[0-7]{1,3}$/.test(text) ? undefined : 'an octal mask such as 022');

export const stopSignal: ValueCheck = (text) => {
  const name = text.toUpperCase().replace(/^SIG/, '');
  return Object.hasOwn(SIGNALS, name) || Object.values(SIGNALS).map(String).includes(text)
    ? undefined
    : `one of ${Object.keys(SIGNALS).join(', ')}`;
};

export const serverUrl: ValueCheck = (text) =>
  /^(auto|(unix|http):\/\/[^\s%]+)$/i.test(text) ? undefined : 'AUTO, unix://… or http://…';

/** A name or numeric id, as it may be handed to getent. Whether the host knows it is asked later. */
export const userName: ValueCheck = (text) =>
  /^[A-Za-z0-9_][A-Za-z0-9_.@\\-]*\$?$/.test(text) ? undefined : 'the name of one user';

export const absolutePath: ValueCheck = (text) => (text.startsWith('/') ? undefined : 'an absolute path');

/** Quotes that close, and a word at least: what supervisor's shlex can split. Whether the file exists is seen at the start. */
export const commandLine: ValueCheck = (text) => {
  const rest = text.replace(/\\.|'[^']*'|"(?:\\.|[^"\\])*"/gs, 'x');
  return rest.trim() !== '' && !/['"\\]/.test(rest) ? undefined : 'a command line whose quotes are closed';
};
