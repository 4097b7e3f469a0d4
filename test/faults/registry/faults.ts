/** The faults that Sampan is tried against, by the names under which the run reports them. All five invariants hold through each. */
export const faults = {
  'agent killed -9': [
    'during download',
    'during unpack',
    'before promote',
    'between promote and activate',
    'after activate before restart',
    'between config write and reread',
    'while waiting for a restart',
    'at every rename/fsync/symlink call, one by one',
    'at 200 random times',
  ],
  controller: ['killed mid-rollout'],
  network: ['partition after the command was sent', 'partition mid-stream', 'partition at the last byte', 'DNS down'],
  origin: [
    'trickles',
    'truncates',
    '500, 502, 503 (bounded backoff)',
    '429 (honours Retry-After)',
    'loops',
    'changes the file between retries',
  ],
  disk: [
    'full mid-unpack',
    'out of inodes',
    'EIO on fsync',
    'read-only',
    'power cut at 50 points',
    'an error at every rename/fsync/symlink call, one by one',
  ],
  clock: ['a day ahead', 'a day behind'],
  host: [
    'certificate expires mid-rollout',
    'host reboots mid-deploy',
    'agent out of memory',
    'out of file descriptors',
    'supervisord down',
    'supervisord dies mid-restart',
  ],
  concurrency: [
    'the same request twice at once',
    'eight deploys to one link, 200 times',
    'retention against a running deploy',
    'a reader that resolves the link through 10,000 flips sees no ENOENT',
    'after 200 deploys, half of them failing, everything is back where it started',
  ],
} as const;

export type FaultGroup = keyof typeof faults;
export type FaultName<Group extends FaultGroup> = (typeof faults)[Group][number];
