// SPDX-License-Identifier: Apache-2.0
import type { Agent, Mesh } from './mesh.ts';

/** Privileged identities live at most 15 minutes (DESIGN 6.4). */
export const executorCredentialMsMax = 900_000;

/** How long an SVID of this agent may live, in milliseconds; the stricter bound wins. */
export function credentialLifetimeMs(mesh: Mesh, agent: Agent): number {
  return agent.role === 'EXECUTOR'
    ? Math.min(mesh.credentialRotationIntervalMs, executorCredentialMsMax)
    : mesh.credentialRotationIntervalMs;
}
