import { createPublicKey, X509Certificate } from 'node:crypto';
import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { ConfigError } from '@sampan/shared/load-config.ts';
import type { Logger } from '@sampan/shared/logger.ts';

const LOOK_EVERY_MS = 2_000;

/** With which certificate and key HTTPS is served. PEM; `cert` may be followed by its intermediates. */
export interface HttpsCredentials {
  current(): { cert: string; key: string };
  /** `listener` is called when `current()` has changed. */
  onChange(listener: () => void): void;
}

/** Credentials of files, which are read again when they change. */
export interface FileCredentials extends HttpsCredentials {
  /** Reads the files again. Those that cannot be used are told to the log, and the former ones stay. Never throws. */
  reload(): void;
  /** Stops looking. */
  close(): void;
}

/** @throws ConfigError when the files cannot be read, or do not belong together. */
export function fileCredentials(files: { cert: string; key: string }, log: Logger): FileCredentials {
  const listeners: (() => void)[] = [];
  let current = read();

  function read() {
    try {
      const found = { cert: readFileSync(files.cert, 'utf8'), key: readFileSync(files.key, 'utf8') };
      // An empty text would pass for none, and no handshake would come about.
      const { publicKey } = new X509Certificate(found.cert);
      if (!createPublicKey(found.key).equals(publicKey)) throw new Error('the key is that of another certificate');
      createSecureContext(found);
      return found;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigError(`tls: ${files.cert} and ${files.key} cannot be used: ${reason}`, { cause });
    }
  }

  function reload(): void {
    try {
      const found = read();
      if (found.cert === current.cert && found.key === current.key) return;
      current = found;
      for (const listener of listeners) listener();
      log.info({ validTo: new X509Certificate(found.cert).validTo }, 'the certificate of HTTPS was read again');
    } catch (error) {
      log.error({ err: error }, 'the new certificate of HTTPS cannot be used, the former one stays');
    }
  }

  for (const file of Object.values(files)) watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, reload);
  return {
    current: () => current,
    onChange: (listener) => listeners.push(listener),
    reload,
    close() {
      for (const file of Object.values(files)) unwatchFile(file, reload);
    },
  };
}
