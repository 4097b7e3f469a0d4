// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface Release {
  'release'?: (string);
  'version'?: (string);
  'filename'?: (string);
  'sha256'?: (string);
  'bytes'?: (number | string | Long);
  'entries'?: (number | string | Long);
  /**
   * Milliseconds since the epoch at which it was staged.
   */
  'stagedAtMs'?: (number | string | Long);
  'current'?: (boolean);
  /**
   * Where it was asked for: nothing of it is missing or changed.
   */
  'intact'?: (boolean);
}

export interface Release__Output {
  'release': (string);
  'version': (string);
  'filename': (string);
  'sha256': (string);
  'bytes': (number);
  'entries': (number);
  /**
   * Milliseconds since the epoch at which it was staged.
   */
  'stagedAtMs': (number);
  'current': (boolean);
  /**
   * Where it was asked for: nothing of it is missing or changed.
   */
  'intact': (boolean);
}
