import { X509Certificate } from 'node:crypto';
import { DeployError } from '@sampan/shared/errors.ts';
import { splitPem } from '@sampan/shared/identity/pem.ts';
import { chainFault, type IdentityPem, identityFault, readIdentity, replaceCertificate } from './identity-files.ts';

/** Who this agent is. Its certificate and the roots change while it runs; its key does not. */
export class Identity {
  readonly #dir: string;
  #pem: IdentityPem;
  readonly #listeners = new Set<() => void>();

  private constructor(dir: string, pem: IdentityPem) {
    this.#dir = dir;
    this.#pem = pem;
  }

  /** @throws ConfigError in words when there is none in `dir`. */
  static async open(dir: string): Promise<Identity> {
    return new Identity(dir, await readIdentity(dir));
  }

  get pem(): IdentityPem {
    return this.#pem;
  }

  /** When the certificate in use ends. */
  get expiresAt(): Date {
    return leafOf(this.#pem.certificate).validToDate;
  }

  onChange(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /**
   * Takes a new certificate for the key at hand, and new roots, durably; connections that are made from now on use them.
   * @throws DeployError INVALID_REQUEST: they do not belong to the key, or the certificate does not lead to one of the roots;
   * DISK_ERROR: they could not be kept, and the old ones stay.
   */
  async renew(renewed: Omit<IdentityPem, 'key'>): Promise<void> {
    const pem = { ...renewed, key: this.#pem.key };
    const fault = identityFault(pem) ?? chainFault(pem) ?? timeFault(pem);
    if (fault !== undefined) {
      throw new DeployError('INVALID_REQUEST', {
        field: 'certificate',
        found: fault,
        expected: "a chain for this agent's key",
      });
    }
    await replaceCertificate(this.#dir, renewed);
    this.#pem = pem;
    for (const listener of this.#listeners) listener();
  }
}

/** One of the future would lock the controller out until then; its clock was wrong when it signed, or ours is. */
function timeFault({ certificate }: IdentityPem): string | undefined {
  const { validFromDate, validToDate } = leafOf(certificate);
  const now = new Date();
  if (now >= validFromDate && now <= validToDate) return undefined;
  return `it is not valid now: ${validFromDate.toISOString()} to ${validToDate.toISOString()}, and this clock says ${now.toISOString()}`;
}

function leafOf(certificate: string): X509Certificate {
  return new X509Certificate(splitPem(certificate)[0] ?? '');
}
