import type { Aftermath, WireError } from '@sampan/shared/errors.ts';
import type { HostUnderTest, Listed } from './host-under-test.ts';
import type { Told } from './mortal-agent.ts';
import { codesOf, type Order, projectOf } from './orders.ts';
import { contentOf, versionName } from './projects.ts';

/** A project before an order is sent. */
export interface Before {
  content: string | null;
  name: string | undefined;
  listed: Listed[];
}

export async function before(host: HostUnderTest, project: number): Promise<Before> {
  const [content, name] = [host.contentAt(project), host.currentName(project)];
  return { content, name, listed: await host.listed(project) };
}

/** What an order comes to where nothing dies: what is told (`ok`, or one of the codes), and which content is current then. */
export interface Expectation {
  told: string[];
  current: string | null;
}

/** The content that the order would make current. Undefined: there is nothing to roll back to. */
export function wantedBy(order: Order, { listed, name }: Before): string | undefined {
  return chosenBy(order, { listed, name })?.content;
}

export function expectationOf(order: Order, was: Before): Expectation {
  if (order.kind === 'stage') return { told: ['ok'], current: was.content };
  const chosen = chosenBy(order, was);
  if (chosen === undefined) return { told: ['RELEASE_NOT_FOUND'], current: was.content };
  const { fault } = order;
  if (fault === undefined || (chosen.name !== undefined && fault !== 'hook' && fault !== 'wrong sha256')) {
    return { told: ['ok'], current: chosen.content };
  }
  if (fault !== 'hook') return { told: codesOf(fault), current: was.content };
  // There is nothing to go back to where nothing was current.
  return { told: codesOf(fault), current: was.content ?? chosen.content };
}

/** The release that the order activates; without a name where it is to be downloaded. */
function chosenBy(
  order: Order,
  { listed, name }: Pick<Before, 'listed' | 'name'>,
): { name?: string; content: string } | undefined {
  if (order.kind === 'rollback') {
    const copies = listed.filter(({ version }) => version === versionName(order.version));
    return copies.find((copy) => copy.name !== name) ?? copies[0];
  }
  const content = contentOf(order.shipment);
  const isKnown = order.kind === 'deploy' && order.withSha256 && order.fault !== 'wrong sha256';
  return (isKnown ? listed.find((release) => release.content === content) : undefined) ?? { content };
}

/** `ok`, or the code of the failure. */
export function wordFor(told: Told): string {
  if (told === undefined) return 'nothing';
  return told.kind === 'failed' ? told.error.code : 'ok';
}

/**
 * I4: whether what was told is true of the disk, whatever it was.
 * @returns what is wrong with it; empty where it is true.
 */
export function lies(
  told: Told,
  { order, was, wanted, now }: { order: Order; was: string | null; wanted: string | undefined; now: string | null },
): string[] {
  const said = `I4 project ${projectOf(order)} was told ${JSON.stringify(told)}; ${was} was current, ${now} is`;
  // Nothing was told yet: it may be either, but nothing else.
  if (told === undefined) return now === was || now === wanted ? [] : [said];
  if (told.kind === 'staged') return now === was ? [] : [said];
  if (told.kind === 'activated') return now === wanted ? [] : [said];
  const aftermath: Aftermath | undefined = (told.error as WireError).aftermath;
  if (aftermath === undefined) return now === was ? [] : [said];
  const isTrue = aftermath.current === versionIn(now) && (!aftermath.reverted || now === was);
  return isTrue ? [] : [said];
}

function versionIn(content: string | null): string | null {
  return content?.split(' ')[1] ?? null;
}
