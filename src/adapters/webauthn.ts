// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server';
import type { Passkey } from '../console/passkeys.ts';
import type { JsonObject } from '../message/json.ts';

/** Relying party: the machine itself. Browsers give passkeys to `localhost` without TLS. */
export const passkeySite = 'localhost';

type Library = typeof import('@simplewebauthn/server');
let library: Promise<Library> | null = null;

/** Loaded with the first sign-in, so that a start does not wait for it. */
function webauthn(): Promise<Library> {
  library ??= import('@simplewebauthn/server');
  return library;
}

const es256 = -7;
const edDsa = -8;

/** What the browser makes a passkey with, bound to this challenge. */
export async function registrationOptions(
  operator: string,
  challenge: Uint8Array,
  known: readonly Passkey[],
): Promise<PublicKeyCredentialCreationOptionsJSON> {
  const { generateRegistrationOptions } = await webauthn();
  return generateRegistrationOptions({
    rpName: 'maso',
    rpID: passkeySite,
    userName: operator,
    userDisplayName: operator,
    challenge: new Uint8Array(challenge),
    attestationType: 'none',
    supportedAlgorithmIDs: [edDsa, es256],
    excludeCredentials: known.map(({ credential }) => ({ id: credential })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  });
}

/** The passkey that a browser registered; null when its answer proves none. */
export async function readRegistration(
  answer: unknown,
  expected: { readonly challenge: string; readonly origin: string },
): Promise<Pick<Passkey, 'credential' | 'coseKey' | 'publicKey' | 'counter'> | null> {
  const { verifyRegistrationResponse } = await webauthn();
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: answer as RegistrationResponseJSON,
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: passkeySite,
      requireUserVerification: true,
      supportedAlgorithmIDs: [edDsa, es256],
    });
    if (!verified) return null;
    const { id, publicKey, counter } = registrationInfo.credential;
    const jwk = await jwkOf(publicKey);
    const coseKey = Buffer.from(publicKey).toString('base64url');
    return jwk === null ? null : { credential: id, coseKey, publicKey: jwk, counter };
  } catch {
    // What the library cannot verify is no passkey.
    return null;
  }
}

export async function signInOptions(
  challenge: Uint8Array,
  known: readonly Passkey[],
): Promise<PublicKeyCredentialRequestOptionsJSON> {
  const { generateAuthenticationOptions } = await webauthn();
  return generateAuthenticationOptions({
    rpID: passkeySite,
    challenge: new Uint8Array(challenge),
    userVerification: 'required',
    allowCredentials: known.map(({ credential }) => ({ id: credential })),
  });
}

/** The new counter of a passkey that proved itself; null when it did not. */
export async function readSignIn(
  answer: unknown,
  passkey: Passkey,
  expected: { readonly challenge: string; readonly origin: string },
): Promise<number | null> {
  const { verifyAuthenticationResponse } = await webauthn();
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: answer as AuthenticationResponseJSON,
      expectedChallenge: expected.challenge,
      expectedOrigin: expected.origin,
      expectedRPID: passkeySite,
      requireUserVerification: true,
      credential: {
        id: passkey.credential,
        publicKey: new Uint8Array(Buffer.from(passkey.coseKey, 'base64url')),
        counter: passkey.counter,
      },
    });
    return verified ? authenticationInfo.newCounter : null;
  } catch {
    // What the library cannot verify signs nobody in.
    return null;
  }
}

/** COSE (RFC 9053) to JWK for the two kinds of keys that are asked for. */
async function jwkOf(cose: Uint8Array): Promise<JsonObject | null> {
  const { decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers');
  const key = decodeCredentialPublicKey(new Uint8Array(cose)) as unknown as Map<number, unknown>;
  const text = (label: number): string | null => {
    const value = key.get(label);
    return value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : null;
  };
  const [x, y] = [text(-2), text(-3)];
  if (key.get(3) === es256 && x !== null && y !== null) return { kty: 'EC', crv: 'P-256', x, y };
  if (key.get(3) === edDsa && x !== null) return { kty: 'OKP', crv: 'Ed25519', x };
  return null;
}
