// SPDX-License-Identifier: Apache-2.0
import { startAuthentication, startRegistration } from '@simplewebauthn/browser';
import type {
  PublicKeyCredentialCreationOptionsJSON, PublicKeyCredentialRequestOptionsJSON,
} from '@simplewebauthn/browser';
import { canonicalize } from '../../src/message/canonical-json.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { post, type Row } from './api.ts';
import type { OpenSession } from './session.tsx';

export async function register(): Promise<{ readonly state: string }> {
  const optionsJSON = await post<PublicKeyCredentialCreationOptionsJSON>('/api/passkeys/options');
  const answer = await startRegistration({ optionsJSON });
  return post('/api/passkeys', { answer, challenge: optionsJSON.challenge });
}

export async function signIn(): Promise<{ readonly state: string }> {
  const optionsJSON = await post<PublicKeyCredentialRequestOptionsJSON>('/api/session/options');
  const answer = await startAuthentication({ optionsJSON });
  return post('/api/session', { answer, challenge: optionsJSON.challenge });
}

const kinds = {
  decisions: 'maso-decision+jws',
  revocations: 'maso-revocation+jws',
  settlements: 'maso-settlement+jws',
  pace: 'maso-pace+jws',
  releases: 'maso-policy+jws',
  denials: 'maso-workflow-denial+jws',
} as const;

/**
 * Signs a statement with the passkey of this session and sends it. The challenge is the hash of the
 * statement itself, so what the authenticator signed is this and nothing else. `about`: what a release
 * of a version is for.
 */
export async function signAndSend(
  path: keyof typeof kinds,
  statement: JsonObject,
  session: OpenSession,
  about: string | null = null,
): Promise<Row> {
  const said = { ...statement, operator: session.operator, at: session.nowMs() };
  const bytes = new TextEncoder().encode(canonicalize(said));
  const prefix = new TextEncoder().encode(`maso:${kinds[path]}:`);
  const digest = await crypto.subtle.digest('SHA-256', joined(prefix, bytes));
  const { response } = await startAuthentication({
    optionsJSON: {
      challenge: base64Url(new Uint8Array(digest)),
      rpId: session.site,
      userVerification: 'required',
      allowCredentials: [{ id: session.credential, type: 'public-key' }],
    },
  });
  const signed = [
    'passkey', base64Url(bytes), response.authenticatorData, response.clientDataJSON,
    response.signature, session.endorsement,
  ].join('.');
  return post<Row>(`/api/${path}`, { signed, about });
}

const crockford = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A ULID. */
export function newId(nowMs: number): string {
  let text = '';
  for (let rest = nowMs; text.length < 10; rest = Math.floor(rest / 32)) {
    text = (crockford[rest % 32] ?? '0') + text;
  }
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) text += crockford[byte % 32] ?? '0';
  return text;
}

function joined(first: Uint8Array, second: Uint8Array): ArrayBuffer {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all.buffer;
}

export function base64Url(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}
