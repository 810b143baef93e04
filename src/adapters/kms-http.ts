// SPDX-License-Identifier: Apache-2.0
import { IdentityError } from '../identity/identity-error.ts';

const timeoutMs = 3_000;
const answerLengthMax = 64 * 1024;
const isLoopback = /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** What a KMS answered: its status and its JSON, which is not believed before it is read. */
export type KmsAnswer = { readonly status: number; readonly json: { readonly [member: string]: unknown } };

/**
 * Posts to a KMS. Rejects with KMS_UNAVAILABLE when it does not answer in 3 s, or not with a JSON
 * object. No redirect is followed: a secret goes to the address that was configured, or nowhere.
 */
export async function askKms(
  url: URL,
  headers: { readonly [name: string]: string },
  body: string,
): Promise<KmsAnswer> {
  try {
    const response = await fetch(url, {
      method: 'POST', headers, body, redirect: 'error', signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await response.text();
    const json: unknown = text.length <= answerLengthMax ? JSON.parse(text) : null;
    if (typeof json !== 'object' || json === null) throw new Error('no JSON object');
    return { status: response.status, json: { ...json } };
  } catch (failure) {
    throw new IdentityError('KMS_UNAVAILABLE', 'The KMS gave no answer.', { cause: failure });
  }
}

/** Throws KMS_KEY_INVALID unless it is https, or http on this machine. */
export function kmsUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isSafe =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback.test(url.hostname));
  if (url === null || !isSafe) {
    throw new IdentityError('KMS_KEY_INVALID', 'The address of the KMS is not https.');
  }
  return url;
}

/** Base64 of RFC 4648, section 4; null unless the text is the one encoding of its bytes. */
export function bytesOfBase64(text: unknown): Buffer | null {
  if (typeof text !== 'string') return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : null;
}
