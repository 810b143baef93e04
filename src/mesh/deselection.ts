// SPDX-License-Identifier: Apache-2.0
import type { DeselectedControl, Mesh } from './mesh.ts';

/** Controls of this build that can be switched off, by the id that the framework gives them. */
export const switchable = {
  'PG-2.1': 'semantic-firewall',
  'EC-2.5': 'model-as-judge',
} as const;

export type SwitchableControl = (typeof switchable)[keyof typeof switchable];

/**
 * Controls that carry G1 to G4: types, identities, mutual authentication, duties, classification,
 * mandates and the gate. No mesh runs without them, whoever signs for it.
 */
export const guaranteed: ReadonlySet<string> = new Set([
  'PG-1.4', 'IA-1.1', 'IA-2.1', 'IA-2.2', 'IA-2.3', 'IA-2.5', 'DP-1.6', 'EC-1.1', 'EC-2.1',
]);

/** Who switched this control off, and why; null while it is on. */
export function deselectionOf(
  mesh: Pick<Mesh, 'deselected'>,
  control: SwitchableControl,
): DeselectedControl | null {
  return mesh.deselected.find(({ id }) => controlOf(id) === control) ?? null;
}

/** What a verdict says instead of a version. */
export function deselectedVersion({ id, by, reason }: DeselectedControl): string {
  return `deselected (${id} by ${by}: ${reason})`.slice(0, 256);
}

/** One line for people. */
export function deselectionLine(control: DeselectedControl): string {
  const { id, by, reason } = control;
  const name = controlOf(id);
  const what = name === null
    ? 'it is on record, and switches nothing off in this build'
    : `the ${name} is not run`;
  return `control ${id} is deselected by ${by}: ${reason} (${what})`;
}

function controlOf(id: string): SwitchableControl | null {
  const found = Object.entries(switchable).find(([known]) => known === id);
  return found === undefined ? null : found[1];
}
