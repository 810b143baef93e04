// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { askKms, bytesOfBase64, kmsUrl } from './kms-http.ts';

export type VaultTransitOptions = {
  /** For example `https://vault.example:8200`. */
  readonly address: string;
  /** Where the transit engine is mounted. */
  readonly mount: string;
  /** Name of an `aes256-gcm96` key. */
  readonly key: string;
  readonly namespace: string | null;
  /** Asked for each request, so that a renewed token is used at once. */
  readonly token: () => Promise<string>;
};

const form = /^vault:v[1-9][0-9]{0,8}:([A-Za-z0-9+/]+=*)$/;
const nameForm = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * A `Kms` on HashiCorp Vault's transit engine over its HTTP API. The context goes along as the
 * associated data of AES-GCM. Vault keeps the key and its versions: after a rotation there, new
 * secrets are wrapped under the new version and old ones still open, until the old version is retired.
 */
export function vaultTransitKms(options: VaultTransitOptions): Kms {
  const { mount, key } = options;
  const base = kmsUrl(options.address);
  if (!nameForm.test(mount) || !nameForm.test(key)) {
    throw new IdentityError('KMS_KEY_INVALID', 'The mount or the key of the KMS is no name.');
  }
  const ask = async (action: 'encrypt' | 'decrypt', body: object) =>
    askKms(
      new URL(`/v1/${mount}/${action}/${key}`, base),
      {
        'content-type': 'application/json',
        'x-vault-token': await options.token(),
        'x-vault-request': 'true',
        ...(options.namespace === null ? {} : { 'x-vault-namespace': options.namespace }),
      },
      JSON.stringify(body),
    );
  return {
    async wrap(plain, context) {
      const { status, json } = await ask('encrypt', {
        // A first byte, because an empty plaintext is refused.
        plaintext: Buffer.concat([Buffer.of(1), plain]).toString('base64'),
        associated_data: digestOf(context),
      });
      const ciphertext = status === 200 ? memberOf(json, 'ciphertext') : undefined;
      if (typeof ciphertext !== 'string' || !form.test(ciphertext)) throw refusedBy(status);
      return Buffer.from(ciphertext, 'latin1');
    },

    async unwrap(wrapped, context) {
      const ciphertext = Buffer.from(wrapped).toString('latin1');
      const encoded = form.exec(ciphertext)?.[1];
      if (bytesOfBase64(encoded) === null) throw unwrapFailed();
      const { status, json } = await ask('decrypt', {
        ciphertext, associated_data: digestOf(context),
      });
      // Vault says 400 for what does not open, and for a version that was retired.
      if (status === 400) throw unwrapFailed();
      if (status !== 200) throw refusedBy(status);
      const plain = bytesOfBase64(memberOf(json, 'plaintext'));
      if (plain === null || plain[0] !== 1) throw unwrapFailed();
      return plain.subarray(1);
    },
  };
}

/** Names of agents and domains in a context are none of the audit log's of a KMS. */
function digestOf(context: string): string {
  return createHash('sha256').update(context, 'utf8').digest('base64');
}

function memberOf(json: { readonly [member: string]: unknown }, member: string): unknown {
  const { data } = json;
  return typeof data === 'object' && data !== null ? Reflect.get(data, member) : undefined;
}

function unwrapFailed(): IdentityError {
  return new IdentityError('KMS_UNWRAP_FAILED', 'The wrapped value does not open.');
}

function refusedBy(status: number): IdentityError {
  return new IdentityError('KMS_UNAVAILABLE', `The KMS refused with status ${status}.`);
}
