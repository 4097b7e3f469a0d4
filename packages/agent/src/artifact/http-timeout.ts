/** A connection, an answer, or the next bytes of a body that did not come in time. */
export class HttpTimeout extends Error {
  override name = 'HttpTimeout';
  readonly code: 'CONNECT_TIMEOUT' | 'ANSWER_TIMEOUT' | 'BODY_TIMEOUT';

  constructor(code: HttpTimeout['code']) {
    super(`HTTP: ${code}`);
    this.code = code;
  }
}
