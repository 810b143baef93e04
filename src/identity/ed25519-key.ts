// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';

const fieldPrime = 2n ** 255n - 19n;

/** The y coordinates of the eight points of small order on edwards25519, little-endian hex. */
const smallOrderPoints: ReadonlySet<bigint> = new Set(
  [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ].map((hex) => littleEndian(Buffer.from(hex, 'hex'))),
);

/**
 * True for an Ed25519 public key that binds its holder. Under a key of small order one signature
 * verifies for (nearly) any message in OpenSSL 3.0, which Node 22 carries; 3.5 refuses it. Its
 * holder could deny everything it signed, and anybody could sign as it. Such a key is neither
 * issued a certificate nor believed.
 */
export function isSoundEd25519(publicKey: KeyObject): boolean {
  if (publicKey.type !== 'public' || publicKey.asymmetricKeyType !== 'ed25519') return false;
  const raw = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url');
  return raw.length === 32 && !smallOrderPoints.has(littleEndian(withoutSign(raw)) % fieldPrime);
}

/** The top bit holds the sign of x (RFC 8032, 5.1.2). */
function withoutSign(point: Buffer): Buffer {
  const y = Buffer.from(point);
  y.writeUInt8(y.readUInt8(31) & 0x7f, 31);
  return y;
}

function littleEndian(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes.toReversed()).toString('hex')}`);
}
