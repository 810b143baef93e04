// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from './mesh.ts';

/** Which messages the node looks through for secrets and data, beside the sidecars of both ends. */
export type AtBus = 'crossings' | 'all' | 'off';

/** Whether the node looks at what goes from the one agent to the other: by default, between two zones. */
export function crossesAtBus(mesh: Pick<Mesh, 'agents' | 'scanner'>, from: string, to: string): boolean {
  const atBus: AtBus = mesh.scanner?.atBus ?? 'crossings';
  if (atBus !== 'crossings') return atBus === 'all';
  // An agent that is not there is in no zone that anybody shares.
  const zone = mesh.agents.get(from)?.zone;
  return zone === undefined || zone !== mesh.agents.get(to)?.zone;
}
