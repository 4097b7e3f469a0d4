// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface Progress {
  'step'?: (string);
  /**
   * started, finished, or running (a step that counts). Of a step that took some 20 ms at the most, only finished.
   */
  'state'?: (string);
  /**
   * Bytes of the artifact received so far, and what the origin announced (0: unknown).
   */
  'bytes'?: (number | string | Long);
  'totalBytes'?: (number | string | Long);
  /**
   * Entries of the archive written so far.
   */
  'entries'?: (number | string | Long);
  /**
   * Milliseconds since the step started.
   */
  'elapsedMs'?: (number | string | Long);
}

export interface Progress__Output {
  'step': (string);
  /**
   * started, finished, or running (a step that counts). Of a step that took some 20 ms at the most, only finished.
   */
  'state': (string);
  /**
   * Bytes of the artifact received so far, and what the origin announced (0: unknown).
   */
  'bytes': (number);
  'totalBytes': (number);
  /**
   * Entries of the archive written so far.
   */
  'entries': (number);
  /**
   * Milliseconds since the step started.
   */
  'elapsedMs': (number);
}
