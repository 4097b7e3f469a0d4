// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What a lock of a link was given out under. Of one database numbers only grow: an agent that has obeyed a higher one on a link
 * refuses a lower one there, on receipt and again immediately before the flip.
 */
export interface Fence {
  /**
   * The database that gave the lock out: a UUID.
   */
  'database'?: (string);
  'number'?: (number | string | Long);
}

/**
 * What a lock of a link was given out under. Of one database numbers only grow: an agent that has obeyed a higher one on a link
 * refuses a lower one there, on receipt and again immediately before the flip.
 */
export interface Fence__Output {
  /**
   * The database that gave the lock out: a UUID.
   */
  'database': (string);
  'number': (number);
}
