/** What is not run, with the reason. A name that is neither here nor a case does not compile, and fails the run. */
export const skips = {
  archives: {},
  names: {},
  http: {},
  urls: {},
  grpc: {},
  'supervisor texts': {},
  'agent killed -9': {},
  controller: {},
  network: {},
  origin: {},
  disk: {},
  clock: {},
  host: {
    'host reboots mid-deploy':
      'needs a machine to reboot: what it does to the disk is "power cut at 50 points", and to the processes "at 200 random times"',
    'agent out of memory':
      'the kernel ends it with SIGKILL, as "at 200 random times" does; a limit low enough to be hit by its children alone differs between kernels',
  },
  concurrency: {},
} as const;
