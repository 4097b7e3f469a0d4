import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { agentUri, CONTROLLER_SERVER_NAME, CONTROLLER_URI } from '@sampan/shared/identity/identity-names.ts';
import { certificateText, privateKeyText } from './pem-text.ts';

x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const EC_P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const ROOT_LIFETIME_MS = 20 * 365 * 86_400_000;
/** A host whose clock is a little behind ours takes what was just signed. */
const BACKDATED_MS = 5 * 60_000;
const SERVER = [x509.ExtendedKeyUsage.serverAuth];
const CLIENT = [x509.ExtendedKeyUsage.clientAuth];

/** What an authority consists of, as PEM. */
export interface AuthorityPem {
  /** The key of the newest root. */
  key: string;
  /** The roots that are trusted, newest first. While the CA is being rolled there are two. */
  roots: string[];
  /** The newest root's key, signed by the root before it, so that who trusts only that one follows; absent when there is none. */
  cross?: string | undefined;
}

/** A key of our own with its certificate, and with what leads from that to an older root. */
export interface KeyPair {
  key: string;
  certificate: string;
}

/** Signs certificates: ECDSA P-256, each for one role and no other use. */
export class CertificateAuthority {
  readonly pem: AuthorityPem;
  readonly #key: CryptoKey;
  readonly #root: x509.X509Certificate;

  private constructor(pem: AuthorityPem, key: CryptoKey) {
    this.pem = pem;
    this.#key = key;
    this.#root = new x509.X509Certificate(pem.roots[0] ?? '');
  }

  /** A new one, with a root of its own. */
  static async create(): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const root = await selfSigned(keys);
    return new CertificateAuthority(
      { key: privateKeyText(keys.privateKey), roots: [certificateText(root)] },
      keys.privateKey,
    );
  }

  /** @throws when the PEM is not that of an authority. */
  static async open(pem: AuthorityPem): Promise<CertificateAuthority> {
    const der = x509.PemConverter.decodeFirst(pem.key);
    return new CertificateAuthority(pem, await webcrypto.subtle.importKey('pkcs8', der, EC_P256, true, ['sign']));
  }

  /** What follows it: a new root beside the old ones, and a certificate of the old root for it. */
  async roll(): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const root = await selfSigned(keys);
    const cross = await this.#sign({ ...authorityOf(root), publicKey: keys.publicKey, lifetimeMs: ROOT_LIFETIME_MS });
    const pem = { key: privateKeyText(keys.privateKey), roots: [certificateText(root), ...this.pem.roots], cross };
    return new CertificateAuthority(pem, keys.privateKey);
  }

  /** The same without its older roots: certificates that only these have signed are worth nothing then. */
  retire(): CertificateAuthority {
    return new CertificateAuthority({ key: this.pem.key, roots: this.pem.roots.slice(0, 1) }, this.#key);
  }

  /** All roots, as one PEM text. */
  get bundle(): string {
    return this.pem.roots.join('');
  }

  /** A certificate by which the controller commands agents, with a new key. */
  async issueClient(lifetimeMs: number): Promise<KeyPair> {
    const keys = await newKeys();
    const names: x509.JsonGeneralNames = [{ type: 'url', value: CONTROLLER_URI }];
    const request = { subject: 'sampan controller', names, publicKey: keys.publicKey, use: CLIENT, lifetimeMs };
    return { key: privateKeyText(keys.privateKey), certificate: await this.#chain(request) };
  }

  /** A certificate for the controller's HTTPS, under `hosts` (addresses and names) and its own constant name, with a new key. */
  async issueServer(hosts: readonly string[], lifetimeMs: number): Promise<KeyPair> {
    const keys = await newKeys();
    const names: x509.JsonGeneralNames = [
      { type: 'url', value: CONTROLLER_URI },
      { type: 'dns', value: CONTROLLER_SERVER_NAME },
      ...hosts.map(generalName),
    ];
    const request = { subject: 'sampan controller', names, publicKey: keys.publicKey, use: SERVER, lifetimeMs };
    return { key: privateKeyText(keys.privateKey), certificate: await this.#chain(request) };
  }

  /** A certificate for the agent of a host, known by `hosts` (addresses and names, the first being the host's own). `spki`: its public key, DER. */
  async issueAgent(
    hosts: readonly [string, ...string[]],
    spki: Uint8Array<ArrayBuffer>,
    lifetimeMs: number,
  ): Promise<string> {
    const names: x509.JsonGeneralNames = [{ type: 'url', value: agentUri(hosts[0]) }, ...hosts.map(generalName)];
    return await this.#chain({
      subject: `sampan agent ${hosts[0]}`,
      names,
      publicKey: new x509.PublicKey(spki),
      use: SERVER,
      lifetimeMs,
    });
  }

  async #chain(request: SigningRequest): Promise<string> {
    return (await this.#sign(request)) + (this.pem.cross ?? '');
  }

  async #sign({ subject, names, publicKey, use, lifetimeMs, isAuthority = false }: SigningRequest): Promise<string> {
    const now = Date.now();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: newSerial(),
      subject: [{ CN: [subject] }],
      issuer: this.#root.subjectName,
      notBefore: wholeSeconds(now - BACKDATED_MS),
      notAfter: wholeSeconds(Math.min(now + lifetimeMs, this.#root.notAfter.getTime())),
      signingKey: this.#key,
      publicKey,
      signingAlgorithm: EC_P256,
      extensions: [
        new x509.BasicConstraintsExtension(isAuthority, undefined, true),
        new x509.KeyUsagesExtension(isAuthority ? AUTHORITY_USES : x509.KeyUsageFlags.digitalSignature, true),
        ...(use.length > 0 ? [new x509.ExtendedKeyUsageExtension(use)] : []),
        ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
        await x509.AuthorityKeyIdentifierExtension.create(this.#root.publicKey),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
      ],
    });
    return certificateText(certificate);
  }
}

interface SigningRequest {
  subject: string;
  names: x509.JsonGeneralNames;
  publicKey: x509.PublicKey | CryptoKey;
  use: x509.ExtendedKeyUsage[];
  lifetimeMs: number;
  isAuthority?: boolean;
}

const AUTHORITY_USES = x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign;

function authorityOf(root: x509.X509Certificate): Pick<SigningRequest, 'subject' | 'names' | 'use' | 'isAuthority'> {
  return { subject: root.subjectName.getField('CN')[0] ?? '', names: [], use: [], isAuthority: true };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return (await webcrypto.subtle.generateKey(EC_P256, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
}

async function selfSigned(keys: webcrypto.CryptoKeyPair): Promise<x509.X509Certificate> {
  const now = Date.now();
  return await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    // A root is told from its successor by its name.
    name: [{ CN: [`sampan CA ${randomBytes(4).toString('hex')}`] }],
    notBefore: wholeSeconds(now - BACKDATED_MS),
    notAfter: wholeSeconds(now + ROOT_LIFETIME_MS),
    keys,
    signingAlgorithm: EC_P256,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(AUTHORITY_USES, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

/** 128 random bits; positive, as a serial must be. */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

function generalName(host: string): { type: 'ip' | 'dns'; value: string } {
  return { type: isIP(host) === 0 ? 'dns' : 'ip', value: host };
}

/** Certificates count in seconds. */
function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
