// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { decodeBase64Url } from '../identity/jws.ts';
import type { KeyAgreement, KeyHolder } from '../protection/key-agreement.ts';
import { ProtectionError } from '../protection/protection-error.ts';
import { loadHpkeSuite } from './hpke-suite.ts';

/** Said in every key schedule, so that nothing sealed for another purpose opens here. */
const purpose = bytesOf('maso data-key/1');

/**
 * HPKE in base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. Who
 * sealed is said by the channel or by a signature, not by HPKE. Loaded when the first key is needed.
 */
export const hpkeKeyAgreement: KeyAgreement = {
  async generate(): Promise<KeyHolder> {
    const suite = await loadHpkeSuite();
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
    try {
      const sender = await senders.take(publicKey);
      const ct = await sender.seal(new Uint8Array(plain).buffer, bytesOf(context));
      return { enc: base64(sender.enc), wrapped: base64(ct) };
    } catch {
      // The key was chosen by somebody else and is none of this curve, or a weak one.
      return null;
    } finally {
      // Once the message that waits for this one is on its way.
      setTimeout(() => senders.prepare(publicKey), prepareAfterMs).unref();
    }
  },
};

/** Keys that are sealed to at one time; the oldest goes first, and its next seal is made when it is asked for. */
const recipientsMax = 1_024;
const prepareAfterMs = 50;

/**
 * Sender contexts of HPKE, each good for one seal. For a key that was sealed to before, the next one is
 * made ahead, a little later: making it is most of what a seal takes, and a message waits for it.
 * A key that is used once, which whoever asks may make up, costs nothing beyond its one seal.
 */
class Senders {
  /** By public key; null: sealed to once. */
  readonly #next = new Map<string, Promise<SenderContext> | null>();

  take(publicKey: string): Promise<SenderContext> {
    const next = this.#next.get(publicKey) ?? null;
    if (next !== null) this.#next.set(publicKey, null);
    return next ?? senderTo(publicKey);
  }

  prepare(publicKey: string): void {
    const isKnown = this.#next.has(publicKey);
    if (this.#next.get(publicKey)) return;
    const next = isKnown ? senderTo(publicKey) : null;
    // What could not be made is made, and fails, when it is asked for.
    next?.catch(() => this.#next.delete(publicKey));
    this.#next.delete(publicKey);
    this.#next.set(publicKey, next);
    const [oldest] = this.#next.size > recipientsMax ? this.#next.keys() : [];
    if (oldest !== undefined) this.#next.delete(oldest);
  }
}

const senders = new Senders();

type SenderContext = Awaited<ReturnType<Awaited<ReturnType<typeof loadHpkeSuite>>['createSenderContext']>>;

async function senderTo(publicKey: string): Promise<SenderContext> {
  const suite = await loadHpkeSuite();
  const recipientPublicKey = await suite.kem.deserializePublicKey(bytesOfBase64(publicKey));
  return suite.createSenderContext({ recipientPublicKey, info: purpose });
}

function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, 'utf8')).buffer;
}

/** Throws where the text is not the one encoding of its bytes: one that was changed is no key. */
function bytesOfBase64(text: string): ArrayBuffer {
  const bytes = decodeBase64Url(text);
  if (bytes === null) throw new ProtectionError('PROTECTION_SEAL_BROKEN', 'This is no base64url.');
  return new Uint8Array(bytes).buffer;
}

function base64(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString('base64url');
}
