import {
  type AnswerOf,
  loadAgentDefinition,
  type MethodName,
  type RequestOf,
} from '@sampan/shared/agent-definition.ts';

/** Those that answer with a stream. */
export type StreamingMethod = 'Stage' | 'Activate' | 'ReadLog';
export type UnaryMethod = Exclude<MethodName, StreamingMethod | 'UpgradeAgent'>;

interface Method<Name extends MethodName> {
  path: string;
  requestSerialize(request: RequestOf<Name>): Buffer;
  responseDeserialize(message: Buffer): AnswerOf<Name>;
}

const definition = loadAgentDefinition();

/** Where a method is called, and how its messages are written and read. */
export function methodOf<Name extends MethodName>(name: Name): Method<Name> {
  return definition[name] as unknown as Method<Name>;
}
