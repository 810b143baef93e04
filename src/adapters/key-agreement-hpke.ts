// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { KeyAgreement, KeyHolder } from '../protection/key-agreement.ts';

/** Said in every key schedule, so that nothing sealed for another purpose opens here. */
const purpose = bytesOf('maso data-key/1');

/**
 * HPKE in base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. Who
 * sealed is said by the channel or by a signature, not by HPKE. Loaded when the first key is needed.
 */
export const hpkeKeyAgreement: KeyAgreement = {
  async generate(): Promise<KeyHolder> {
    const suite = await suiteOnce();
    const { privateKey, publicKey } = await suite.kem.generateKeyPair();
    const bytes = await suite.kem.serializePublicKey(publicKey);
    return {
      publicKey: Buffer.from(bytes).toString('base64url'),
      async open({ enc, wrapped }, context) {
        try {
          const plain = await suite.open(
            { recipientKey: privateKey, enc: bytesOfBase64(enc), info: purpose },
            bytesOfBase64(wrapped),
            bytesOf(context),
          );
          return new Uint8Array(plain);
        } catch {
          // Not for this key, of another context, or changed: which of them cannot be told.
          return null;
        }
      },
    };
  },

  async sealTo(publicKey, plain, context) {
    const suite = await suiteOnce();
    try {
      const recipientPublicKey = await suite.kem.deserializePublicKey(bytesOfBase64(publicKey));
      const sealed = await suite.seal(
        { recipientPublicKey, info: purpose },
        new Uint8Array(plain).buffer,
        bytesOf(context),
      );
      return { enc: base64(sealed.enc), wrapped: base64(sealed.ct) };
    } catch {
      // The key was chosen by somebody else and is none of this curve, or a weak one.
      return null;
    }
  },
};

let suite: ReturnType<typeof loadSuite> | null = null;

function suiteOnce(): ReturnType<typeof loadSuite> {
  suite ??= loadSuite();
  return suite;
}

async function loadSuite() {
  const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core');
  return new CipherSuite({
    kem: new DhkemX25519HkdfSha256(),
    kdf: new HkdfSha256(),
    aead: new Aes256Gcm(),
  });
}

function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'utf8')).buffer;
}

function bytesOfBase64(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'base64url')).buffer;
}

function base64(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('base64url');
}
