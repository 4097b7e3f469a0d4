import type { CaseTable } from '../harness/run-cases.ts';
import type { Group } from '../registry/registry.ts';
import { agentKilled } from './agent-killed.ts';
import { archives } from './archives.ts';
import { clock } from './clock.ts';
import { concurrency } from './concurrency.ts';
import { controller } from './controller.ts';
import { disk } from './disk.ts';
import { grpc } from './grpc.ts';
import { host } from './host.ts';
import { http } from './http.ts';
import { names } from './names.ts';
import { network } from './network.ts';
import { origin } from './origin.ts';
import { supervisorTexts } from './supervisor-texts.ts';
import { urls } from './urls.ts';

/** The cases of every group: one that lacks a name does not compile. */
export const allCases: { [G in Group]: CaseTable<G, never> } = {
  archives,
  names,
  http,
  urls,
  grpc,
  'supervisor texts': supervisorTexts,
  'agent killed -9': agentKilled,
  controller,
  network,
  origin,
  disk,
  clock,
  host,
  concurrency,
};
