const NO_TLS = 'this version has no TLS: an agent listens on loopback only, which its configuration enforces';

/** What is not run, with the reason. A name that is neither here nor a case does not compile, and fails the run. */
export const skips = {
  archives: {},
  names: {},
  http: {},
  urls: {},
  grpc: {
    'no client certificate': NO_TLS,
    "another agent's certificate": NO_TLS,
    expired: NO_TLS,
  },
  'supervisor texts': {},
  'agent killed -9': {},
  controller: {},
  network: {},
  origin: {},
  disk: {},
  clock: {},
  host: {
    'certificate expires mid-rollout': NO_TLS,
    'host reboots mid-deploy':
      'needs a machine to reboot: what it does to the disk is "power cut at 50 points", and to the processes "at 200 random times"',
    'agent out of memory':
      'the kernel ends it with SIGKILL, as "at 200 random times" does; a limit low enough to be hit by its children alone differs between kernels',
  },
  concurrency: {},
} as const;
