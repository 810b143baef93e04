// SPDX-License-Identifier: Apache-2.0
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { passkeyChallenge } from '../../src/identity/passkey-assertion.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';

type Change = {
  readonly site?: string;
  readonly origin?: string;
  readonly type?: string;
  readonly flags?: number;
};

/** An authenticator in software, for tests: one key, one credential. */
export class SoftPasskey {
  readonly credential = randomBytes(32).toString('base64url');
  readonly #pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });

  get publicKey(): JsonObject {
    const jwk: unknown = this.#pair.publicKey.export({ format: 'jwk' });
    if (!isJsonObject(jwk)) throw new Error('The key has no JWK.');
    return jwk;
  }

  /** A statement signed as the console does it. */
  sign(typ: string, statement: JsonObject, endorsement: string, change: Change = {}): string {
    const bytes = Buffer.from(canonicalize(statement));
    const made = this.assert(passkeyChallenge(typ, bytes), change);
    const { authenticatorData, clientDataJSON, signature } = made;
    return ['passkey', bytes.toString('base64url'), authenticatorData, clientDataJSON, signature, endorsement]
      .join('.');
  }

  /** Signs a challenge as WebAuthn says; `change` is what a thief or another site would do. */
  assert(challenge: string, change: Change = {}) {
    const { site = 'localhost', origin = 'http://localhost:4848', type = 'webauthn.get' } = change;
    const authenticatorData = Buffer.concat([
      createHash('sha256').update(site).digest(), Buffer.from([change.flags ?? 0x05]), Buffer.alloc(4),
    ]);
    const clientData = Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
    const signed = Buffer.concat([authenticatorData, createHash('sha256').update(clientData).digest()]);
    return {
      authenticatorData: authenticatorData.toString('base64url'),
      clientDataJSON: clientData.toString('base64url'),
      signature: sign('sha256', signed, this.#pair.privateKey).toString('base64url'),
    };
  }
}
