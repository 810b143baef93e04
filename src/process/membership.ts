// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { askEnrolment } from '../adapters/control-http.ts';
import { writeOwnerOnly } from '../adapters/credential-file.ts';
import { loadCredential, newKey, saveCredential } from '../adapters/credential-keys.ts';
import { ControlError } from '../control/control-error.ts';
import { authorityHash } from '../identity/certificate.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import { IdentityError } from '../identity/identity-error.ts';
import { parseJoinToken } from '../identity/join-token.ts';
import { isWithinLifetime } from '../identity/svid-lifetime.ts';
import type { Clock } from '../message/clock.ts';

/** What a sidecar knows of its mesh once it has joined. */
export type Membership = {
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly busHost: string;
  readonly busPort: number;
  readonly nodeSpiffeId: string;
};

/** Key and chain of the sidecar's identity in its state directory. */
export const credentialFile = 'credential.pem';
const membershipFile = 'membership.json';

const stored = z.object({
  bundlePem: z.string(),
  busHost: z.string(),
  busPort: z.int(),
  nodeSpiffeId: z.string(),
  enrolment: z.string(),
});

/** An identity this close to its end is not resumed: it would run out before it is renewed. */
const resumeMarginMs = 1_000;

/**
 * Goes on under the identity of the last start while that is valid, of the node that the token names
 * and no longer lived than the mesh file grants now (`lifetimeMs`), else joins with the token. A sidecar that was killed is the same instance afterwards: what
 * it signed before can be sent again. The private key is made here and never leaves this directory.
 * Rejects with `ControlError` CONTROL_ENROLMENT_REFUSED when there is neither.
 */
export async function joinOrResume(
  stateDirectory: string,
  joinToken: string | null,
  clock: Clock,
  lifetimeMs: number,
): Promise<Membership> {
  const resumed = await resume(stateDirectory, joinToken, clock, lifetimeMs);
  if (resumed !== null) return resumed;
  if (joinToken === null) {
    throw new ControlError(
      'CONTROL_ENROLMENT_REFUSED',
      'This sidecar has no valid identity and was given no join token.',
    );
  }
  const key = await newKey();
  const answer = await askEnrolment(joinToken, key.csrPem);
  const credential = credentialFromPem(answer.chainPem, key.privateKey);
  const { bundlePem, busHost, busPort, nodeSpiffeId } = answer;
  await saveCredential(join(stateDirectory, credentialFile), credential);
  const reading = parseJoinToken(joinToken);
  const enrolment = reading.ok ? reading.claims.address : '';
  const known = { bundlePem, busHost, busPort, nodeSpiffeId, enrolment };
  await writeOwnerOnly(join(stateDirectory, membershipFile), Buffer.from(JSON.stringify(known)));
  return { credential, bundlePem, busHost, busPort, nodeSpiffeId };
}

async function resume(
  stateDirectory: string,
  joinToken: string | null,
  clock: Clock,
  lifetimeMs: number,
): Promise<Membership | null> {
  const credential = await savedCredential(stateDirectory, joinToken !== null);
  if (credential === null || credential.expiresAtMs - resumeMarginMs <= clock.nowMs()) return null;
  const spanMs = credential.expiresAtMs - credential.notBeforeMs;
  if (!isWithinLifetime(spanMs, lifetimeMs)) return null;
  try {
    const text = await readFile(join(stateDirectory, membershipFile), 'utf8');
    const { enrolment, ...known } = stored.parse(JSON.parse(text));
    const same = joinToken === null || isSameNode(joinToken, enrolment, known.bundlePem);
    return same ? { credential, ...known } : null;
  } catch {
    // Without a readable membership the sidecar joins anew, which needs a token.
    return null;
  }
}

/** A token of a mesh founded anew, or of a node that moved, says that what is remembered is old. */
function isSameNode(joinToken: string, enrolment: string, bundlePem: string): boolean {
  const reading = parseJoinToken(joinToken);
  if (!reading.ok) return false;
  const { address, caHash } = reading.claims;
  return address === enrolment && authorityHash(bundlePem) === caHash;
}

/** A damaged credential stops the start, unless a token replaces it; an exposed one always does. */
async function savedCredential(
  stateDirectory: string,
  replaceable: boolean,
): Promise<Credential | null> {
  try {
    return await loadCredential(join(stateDirectory, credentialFile));
  } catch (failure) {
    const damaged =
      failure instanceof IdentityError && failure.code === 'IDENTITY_CREDENTIAL_CORRUPT';
    if (damaged && replaceable) return null;
    throw failure;
  }
}
