// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { askEnrolment } from '../adapters/control-http.ts';
import { loadCredential, newKey, saveCredential } from '../adapters/credential-keys.ts';
import { ControlError } from '../control/control-error.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
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

const stored = z.object({
  bundlePem: z.string(),
  busHost: z.string(),
  busPort: z.int(),
  nodeSpiffeId: z.string(),
});

/** An identity this close to its end is not resumed: it would run out before it is renewed. */
const resumeMarginMs = 1_000;

/**
 * Joins with a token, or goes on under the identity of the last start while that is valid. The
 * private key is made here and never leaves this directory. Rejects with `ControlError`
 * CONTROL_ENROLMENT_REFUSED when there is neither a token nor a valid identity.
 */
export async function joinOrResume(
  stateDirectory: string,
  joinToken: string | null,
  clock: Clock,
): Promise<Membership> {
  const resumed = joinToken === null ? await resume(stateDirectory, clock) : null;
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
  await writeFile(
    join(stateDirectory, 'membership.json'),
    JSON.stringify({ bundlePem, busHost, busPort, nodeSpiffeId }),
    { mode: 0o600 },
  );
  return { credential, bundlePem, busHost, busPort, nodeSpiffeId };
}

async function resume(stateDirectory: string, clock: Clock): Promise<Membership | null> {
  const credential = await loadCredential(join(stateDirectory, credentialFile));
  if (credential === null || credential.expiresAtMs - resumeMarginMs <= clock.nowMs()) return null;
  try {
    const text = await readFile(join(stateDirectory, 'membership.json'), 'utf8');
    return { credential, ...stored.parse(JSON.parse(text)) };
  } catch {
    // Without a readable membership the sidecar joins anew, which needs a token.
    return null;
  }
}
