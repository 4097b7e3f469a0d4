import { createHash, randomBytes } from 'node:crypto';

/** Secret scanners know our tokens by this: 160 bits, five of them a character. */
export const TOKEN_PATTERN = /^sampan_[a-z2-7]{32}$/;

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567';

/** A new token, from the system's random source. */
export function createTokenSecret(): string {
  return `sampan_${randomSecret()}`;
}

/** 160 random bits as 32 characters. */
export function randomSecret(): string {
  return base32(randomBytes(20));
}

/** What is kept of a token: its SHA-256, in hex. It needs no salt and no slow hash, since nobody can try out 160 bits. */
export function hashToken(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** RFC 4648, in lower case; 20 bytes need no padding. */
function base32(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replace(/.{5}/g, (five) => ALPHABET[Number.parseInt(five, 2)] ?? '');
}
