import { fileURLToPath } from 'node:url';
import { loadSync, type MethodDefinition, type PackageDefinition } from '@grpc/proto-loader';
import type { AgentDefinition } from './gen/sampan/agent/v1/Agent.ts';

/** The generated definition also takes any name. */
type Methods = { [Name in keyof AgentDefinition as string extends Name ? never : Name]: AgentDefinition[Name] };

export type MethodName = keyof Methods & string;

/** What a method is sent. */
export type RequestOf<Name extends MethodName> =
  Methods[Name] extends MethodDefinition<infer Request, infer _Response, infer _Read, infer _Told> ? Request : never;

/** What it answers with: its only message, or one of them. */
export type AnswerOf<Name extends MethodName> =
  Methods[Name] extends MethodDefinition<infer _Request, infer _Response, infer _Read, infer Told> ? Told : never;

/** Beside the bundle that is shipped; else where the repository has it. The first that has the file is taken. */
const ROOTS = ['./proto', '../../../proto'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** Everything that agent.proto defines; int64 fields are numbers, absent fields have defaults. */
export function loadDefinition(): PackageDefinition {
  return loadSync('sampan/agent/v1/agent.proto', {
    includeDirs: ROOTS,
    longs: Number,
    defaults: true,
    arrays: true,
    oneofs: true,
  });
}

/** The methods of the agent's service: their paths, and how their messages are written and read. */
export function loadAgentDefinition(): AgentDefinition {
  return loadDefinition()['sampan.agent.v1.Agent'] as unknown as AgentDefinition;
}
