// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import {
  createCipheriv, createDecipheriv, createHmac, createPublicKey, diffieHellman, generateKeyPairSync,
  hkdfSync, KeyObject,
} from 'node:crypto';
import type {
  AeadEncryptionContext, CipherSuite, RecipientContextParams, SenderContextParams,
} from '@hpke/core';

type Bytes = ArrayBufferLike | ArrayBufferView;

const hash = 'sha256';
const hashBytes = 32;
const secretBytes = 32;
const tagBytes = 16;
const nothing = new Uint8Array(0);
/** RFC 9180, section 4.1: `KEM` and the number of DHKEM(X25519, HKDF-SHA256). */
const kemSuite = Uint8Array.of(0x4b, 0x45, 0x4d, 0x00, 0x20);
const sharedPrk = labelOf('eae_prk');
const sharedSecret = labelOf('shared_secret');

/**
 * HPKE (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM. Modes, key schedule
 * and nonces are the library's; its primitives are not: WebCrypto gives each of the nine that a seal
 * takes to another thread and waits for it, and of a fresh data key two seals and two opens follow one
 * another before its message is read. On the calling thread each primitive takes microseconds.
 */
export function loadHpkeSuite(): Promise<CipherSuite> {
  loaded ??= load().catch((failure: unknown) => {
    // Tried again by whoever asks next.
    loaded = null;
    throw failure;
  });
  return loaded;
}

let loaded: Promise<CipherSuite> | null = null;

async function load(): Promise<CipherSuite> {
  const { Aes256Gcm, CipherSuite, DhkemX25519HkdfSha256, HkdfSha256 } = await import('@hpke/core');

  class NodeHkdf extends HkdfSha256 {
    override async extract(salt: Bytes, ikm: Bytes): Promise<ArrayBuffer> {
      const key = salt.byteLength === 0 ? new Uint8Array(hashBytes) : viewOf(salt);
      return bufferOf(createHmac(hash, key).update(viewOf(ikm)).digest());
    }

    override async extractAndExpand(
      salt: Bytes, ikm: Bytes, info: Bytes, length: number,
    ): Promise<ArrayBuffer> {
      return hkdfSync(hash, viewOf(ikm), viewOf(salt), viewOf(info), length);
    }
  }

  class NodeAesGcm extends Aes256Gcm {
    override createEncryptionContext(key: Bytes): AeadEncryptionContext {
      return aesGcmOf(viewOf(key));
    }
  }

  const kdf = new NodeHkdf();
  kdf.init(kemSuite);

  /** RFC 9180, section 4.1, without the mode in which the sender has a key of its own. */
  class NodeDhkem extends DhkemX25519HkdfSha256 {
    override async encap({ recipientPublicKey }: SenderContextParams) {
      const to = KeyObject.from(recipientPublicKey);
      const { privateKey, publicKey } = generateKeyPairSync('x25519');
      const enc = rawOf(publicKey);
      const context = Buffer.concat([enc, rawOf(to)]);
      return { enc: bufferOf(enc), sharedSecret: await secretOf(privateKey, to, context) };
    }

    override async decap({ recipientKey, enc }: RecipientContextParams): Promise<ArrayBuffer> {
      const { own, ownRaw } = readyOf('privateKey' in recipientKey ? recipientKey.privateKey : recipientKey);
      const raw = viewOf(enc);
      return secretOf(own, publicKeyOf(raw), Buffer.concat([raw, ownRaw]));
    }
  }

  /** By the key that a recipient opens with again and again. */
  const ready = new WeakMap<object, { readonly own: KeyObject; readonly ownRaw: Uint8Array }>();

  function readyOf(key: Parameters<typeof KeyObject.from>[0]) {
    const known = ready.get(key);
    if (known !== undefined) return known;
    const own = KeyObject.from(key);
    const made = { own, ownRaw: rawOf(createPublicKey(own)) };
    ready.set(key, made);
    return made;
  }

  /** Throws where both keys come to nothing: a public key of small order (RFC 9180, section 7.1.4). */
  async function secretOf(privateKey: KeyObject, publicKey: KeyObject, context: Uint8Array) {
    const shared = diffieHellman({ privateKey, publicKey });
    const ikm = kdf.buildLabeledIkm(sharedPrk, shared);
    const info = kdf.buildLabeledInfo(sharedSecret, context, secretBytes);
    return kdf.extractAndExpand(nothing, ikm, info, secretBytes);
  }

  return new CipherSuite({ kem: new NodeDhkem(), kdf: new NodeHkdf(), aead: new NodeAesGcm() });
}

function aesGcmOf(key: Uint8Array): AeadEncryptionContext {
  return {
    async seal(nonce, plain, context) {
      const cipher = createCipheriv('aes-256-gcm', key, viewOf(nonce));
      cipher.setAAD(viewOf(context));
      const parts = [cipher.update(viewOf(plain)), cipher.final(), cipher.getAuthTag()];
      return bufferOf(Buffer.concat(parts));
    },
    async open(nonce, sealed, context) {
      const bytes = viewOf(sealed);
      const end = bytes.length - tagBytes;
      const decipher = createDecipheriv('aes-256-gcm', key, viewOf(nonce), { authTagLength: tagBytes });
      decipher.setAAD(viewOf(context));
      decipher.setAuthTag(bytes.subarray(end));
      return bufferOf(Buffer.concat([decipher.update(bytes.subarray(0, end)), decipher.final()]));
    },
  };
}

/** What the DER of an X25519 public key begins with (RFC 8410). */
const publicKeyHead = Buffer.from('302a300506032b656e032100', 'hex');

/** Throws where these are not 32 bytes. */
function publicKeyOf(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([publicKeyHead, raw]), format: 'der', type: 'spki' });
}

/** The 32 bytes of an X25519 public key; its DER (RFC 8410) ends with them. */
function rawOf(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
}

function viewOf(bytes: Bytes): Uint8Array {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    : new Uint8Array(bytes);
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

function labelOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'latin1'));
}
