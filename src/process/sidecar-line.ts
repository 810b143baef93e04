// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import type { BusClient } from '../adapters/bus-client-ws.ts';
import { newKey, saveCredential } from '../adapters/credential-keys.ts';
import type { Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import type { SidecarRecorder } from '../sidecar/recording.ts';
import { credentialFile, type Membership } from './membership.ts';

/** A sidecar's standing in its mesh and its line to the node, which last while versions change. */
export type Line = {
  readonly membership: Membership;
  readonly link: BusClient;
  readonly recorder: SidecarRecorder;
  readonly verifier: PeerVerifier;
  /** The present SVID; rotation replaces it. */
  credential: Credential;
};

/** Looked at often: an identity that was resumed, or not renewed at once, has less time left. */
export function isHalfSpent(credential: Credential, nowMs: number): boolean {
  const { notBeforeMs, expiresAtMs, lineage } = credential;
  // A spawned agent's last certificate ends with it: there is no longer one to ask for.
  if (lineage !== null && expiresAtMs + 1_000 >= lineage.endsAt) return false;
  return nowMs >= notBeforeMs + (expiresAtMs - notBeforeMs) / 2;
}

/** Asks for a new certificate at half-life; sending goes on under the old one until it is there. */
export async function rotate(line: Line, stateDirectory: string): Promise<void> {
  const key = await newKey();
  const chainPem = await line.link.renew(key.csrPem);
  if (chainPem === null) return;
  const renewed = credentialFromPem(chainPem, key.privateKey);
  if (renewed.spiffeId !== line.credential.spiffeId) return;
  await saveCredential(join(stateDirectory, credentialFile), renewed);
  line.credential = renewed;
  line.link.reconnect();
}

export function digestKeyOf(membership: Membership): Uint8Array {
  const secret = membership.credential.privateKey.export({ format: 'der', type: 'pkcs8' });
  return createHmac('sha256', secret).update('maso keyed digest').digest();
}
