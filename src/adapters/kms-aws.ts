// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import type { Kms } from '../identity/credential.ts';
import { IdentityError } from '../identity/identity-error.ts';
import type { Clock } from '../message/clock.ts';
import { signedHeaders, type AwsCredentials } from './aws-sigv4.ts';
import { askKms, bytesOfBase64, kmsUrl } from './kms-http.ts';

export type AwsKmsOptions = {
  readonly region: string;
  /** Id, ARN or alias of a symmetric key. */
  readonly keyId: string;
  /** Null for AWS's own. */
  readonly endpoint: string | null;
  /** Asked for each request, so that renewed credentials are used at once. */
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: Clock;
};

const regionForm = /^[a-z0-9-]{1,32}$/;
const secretBytesMax = 4_095;

/**
 * A `Kms` on AWS KMS over its HTTP API (`Encrypt`, `Decrypt`; JSON 1.1, Signature Version 4). A digest
 * of the context goes along as the encryption context. AWS keeps the key's earlier versions: what was
 * wrapped before a rotation still opens.
 */
export function awsKms(options: AwsKmsOptions): Kms {
  const { region, keyId, endpoint, clock } = options;
  if (!regionForm.test(region) || keyId.length === 0 || keyId.length > 2048) {
    throw new IdentityError('KMS_KEY_INVALID', 'The region or the key of the KMS is no name.');
  }
  const url = kmsUrl(endpoint ?? `https://kms.${region}.amazonaws.com/`);
  const ask = async (operation: 'Encrypt' | 'Decrypt', members: object, context: string) => {
    const body = JSON.stringify({
      KeyId: keyId, EncryptionContext: { maso: digestOf(context) }, ...members,
    });
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `TrentService.${operation}`,
    };
    const request = { method: 'POST', host: url.host, path: '/', headers, body } as const;
    const scope = { region, service: 'kms' };
    const { host: _host, ...signed } = signedHeaders(
      request, scope, await options.credentials(), clock.nowMs(),
    );
    return askKms(url, signed, body);
  };
  return {
    async wrap(plain, context) {
      if (!(plain.length <= secretBytesMax)) {
        throw new IdentityError('KMS_KEY_INVALID', 'The secret is too large for the KMS.');
      }
      // A first byte, because an empty plaintext is refused.
      const text = Buffer.concat([Buffer.of(1), plain]).toString('base64');
      const { status, json } = await ask('Encrypt', { Plaintext: text }, context);
      const blob = status === 200 ? bytesOfBase64(json['CiphertextBlob']) : null;
      if (blob === null) throw refusedBy(status, json);
      return blob;
    },

    async unwrap(wrapped, context) {
      const blob = Buffer.from(wrapped).toString('base64');
      if (blob === '') throw unwrapFailed();
      const { status, json } = await ask('Decrypt', { CiphertextBlob: blob }, context);
      if (status !== 200) throw refusedBy(status, json);
      const plain = bytesOfBase64(json['Plaintext']);
      if (plain === null || plain[0] !== 1) throw unwrapFailed();
      return plain.subarray(1);
    },
  };
}

function digestOf(context: string): string {
  return createHash('sha256').update(context, 'utf8').digest('base64url');
}

/** A blob that does not open, or of another key, and everything else that is said instead. */
function refusedBy(status: number, json: { readonly [member: string]: unknown }): IdentityError {
  const type = String(json['__type'] ?? '').replace(/^.*#/, '');
  if (status === 400 && /^(InvalidCiphertext|IncorrectKey)Exception$/.test(type)) return unwrapFailed();
  return new IdentityError('KMS_UNAVAILABLE', `The KMS refused with status ${status}.`);
}

function unwrapFailed(): IdentityError {
  return new IdentityError('KMS_UNWRAP_FAILED', 'The wrapped value does not open.');
}
