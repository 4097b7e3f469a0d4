import { styleText } from 'node:util';

/** Colour where a person looks on; `styleText` leaves it out for pipes, NO_COLOR and dumb terminals. */
type Style = Parameters<typeof styleText>[0];

export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function print(line = ''): void {
  process.stdout.write(`${line}\n`);
}

/** A heading of the story: what happens next, and why it is worth a look. */
export function heading(number: number, text: string): void {
  print(`\n${paint('bold', `${number}. ${text}`)}`);
}
