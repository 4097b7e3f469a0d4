// What is measured alone, from source and, bundled, as it is shipped.
export { fetchArtifact } from '@sampan/agent/artifact/fetch-artifact.ts';
export { UnpackProcess } from '@sampan/agent/artifact/unpack-process.ts';
export { agentConfigSchema } from '@sampan/agent/config.ts';
export { readLog } from '@sampan/agent/logs/read-log.ts';
