// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface StageResult {
  /**
   * The release's name on this disk, unique in its base (`app~2`): what Activate takes.
   */
  'release'?: (string);
  /**
   * The version that is reported to people (`app`).
   */
  'version'?: (string);
  'sha256'?: (string);
  'bytes'?: (number | string | Long);
  'entries'?: (number | string | Long);
  /**
   * True when the release stood here already and nothing was downloaded.
   */
  'reused'?: (boolean);
}

export interface StageResult__Output {
  /**
   * The release's name on this disk, unique in its base (`app~2`): what Activate takes.
   */
  'release': (string);
  /**
   * The version that is reported to people (`app`).
   */
  'version': (string);
  'sha256': (string);
  'bytes': (number);
  'entries': (number);
  /**
   * True when the release stood here already and nothing was downloaded.
   */
  'reused': (boolean);
}
