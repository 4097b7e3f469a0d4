// Original file: proto/sampan/agent/v1/agent.proto


export interface ReadLogChunk {
  /**
   * Whole characters: UTF-8 is never cut in half between chunks.
   */
  'text'?: (string);
  /**
   * On the first chunk: older text that was asked for was left out because of max_bytes.
   */
  'truncated'?: (boolean);
  /**
   * The file was rotated or cut before this chunk: it is of a new file.
   */
  'rotated'?: (boolean);
}

export interface ReadLogChunk__Output {
  /**
   * Whole characters: UTF-8 is never cut in half between chunks.
   */
  'text': (string);
  /**
   * On the first chunk: older text that was asked for was left out because of max_bytes.
   */
  'truncated': (boolean);
  /**
   * The file was rotated or cut before this chunk: it is of a new file.
   */
  'rotated': (boolean);
}
