// Original file: proto/sampan/agent/v1/agent.proto

import type { Long } from '@grpc/proto-loader';

export interface ReadLogRequest {
  'projectName'?: (string);
  'language'?: (string);
  'logname'?: (string);
  'deployDir'?: (string);
  /**
   * Lines from the end of the file, at least 1.
   */
  'lines'?: (number);
  /**
   * Bytes from the end of the file at the most; 0 means 1 MiB.
   */
  'maxBytes'?: (number | string | Long);
  'follow'?: (boolean);
}

export interface ReadLogRequest__Output {
  'projectName': (string);
  'language': (string);
  'logname': (string);
  'deployDir': (string);
  /**
   * Lines from the end of the file, at least 1.
   */
  'lines': (number);
  /**
   * Bytes from the end of the file at the most; 0 means 1 MiB.
   */
  'maxBytes': (number);
  'follow': (boolean);
}
