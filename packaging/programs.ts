import { VERSION } from '@sampan/shared/version.ts';
import { AGENT_START, CONTROLLER_START, type ProgramStart } from './program-start.ts';

/** One of the programs that are installed. */
export interface ShippedProgram {
  name: 'sampan-agent' | 'sampan-controller';
  /** Its folder here: unit, configuration, what its installation does besides. */
  folder: string;
  start: ProgramStart;
  /** What is bundled for it: sources from the repository's root, by name. */
  sources: Readonly<Record<string, string>>;
  /** Whether its libraries read files of their own. */
  readsLibraryFiles: boolean;
}

export const PROGRAMS: readonly ShippedProgram[] = [
  {
    name: 'sampan-agent',
    folder: 'agent',
    start: AGENT_START,
    sources: {
      'sampan-agent': 'packages/agent/src/main.ts',
      unpack: 'packages/agent/src/unpack/main.ts',
      'unpack-thread': 'packages/agent/src/unpack/thread.ts',
      'unit-paths': 'packaging/agent/unit-paths.ts',
    },
    readsLibraryFiles: false,
  },
  {
    name: 'sampan-controller',
    folder: 'controller',
    start: CONTROLLER_START,
    sources: {
      'sampan-controller': 'packages/controller/src/main.ts',
      'unit-paths': 'packaging/controller/unit-paths.ts',
    },
    readsLibraryFiles: true,
  },
];

/** Its package, less the ending, which is also the one directory in it. */
export function packageName({ name }: ShippedProgram): string {
  return `${name}-${VERSION}-linux-x64`;
}
