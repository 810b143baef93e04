// SPDX-License-Identifier: Apache-2.0
import { isName } from '../message/identifiers.ts';

export const unitKinds = ['agent', 'type', 'workflow', 'zone', 'mesh'] as const;

/** What has a phase of its own. `type` is a role, or a template of spawned agents. */
export type PaceUnit = {
  readonly kind: (typeof unitKinds)[number];
  /** `mesh` for the mesh itself. */
  readonly value: string;
};

export const meshUnit: PaceUnit = { kind: 'mesh', value: 'mesh' };

/** Where an agent stands: the units whose phase holds for it, too. */
export type AgentPlace = {
  readonly name: string;
  readonly types: readonly string[];
  readonly zone: string;
  readonly workflows: readonly string[];
  /** The agent that it stands in for; null for one with work of its own. */
  readonly standbyFor: string | null;
};

export function unitKey({ kind, value }: PaceUnit): string {
  return `${kind}:${value}`;
}

export function agentUnit(name: string): PaceUnit {
  return { kind: 'agent', value: name };
}

/** `mesh`, or `KIND:NAME`; null when the text is no unit. */
export function parseUnit(text: string): PaceUnit | null {
  if (text === 'mesh' || text === 'mesh:mesh') return meshUnit;
  const [head = '', value = '', ...rest] = text.split(':');
  const kind = unitKinds.find((one) => one === head);
  if (kind === undefined || kind === 'mesh' || rest.length > 0) return null;
  return isUnitName(kind, value) ? { kind, value } : null;
}

export function isUnit(kind: string, value: string): boolean {
  const known = unitKinds.find((one) => one === kind);
  return known !== undefined && isUnitName(known, value);
}

/** Every unit that this agent belongs to, the smallest first. */
export function unitsOf(place: AgentPlace): readonly PaceUnit[] {
  return [
    agentUnit(place.name),
    ...place.types.map((value): PaceUnit => ({ kind: 'type', value })),
    ...place.workflows.map((value): PaceUnit => ({ kind: 'workflow', value })),
    { kind: 'zone', value: place.zone },
    meshUnit,
  ];
}

export function covers(unit: PaceUnit, place: AgentPlace): boolean {
  switch (unit.kind) {
    case 'agent':
      return unit.value === place.name;
    case 'type':
      return place.types.includes(unit.value);
    case 'workflow':
      return place.workflows.includes(unit.value);
    case 'zone':
      return unit.value === place.zone;
    case 'mesh':
      return true;
    default:
      return unit.kind satisfies never;
  }
}

function isUnitName(kind: PaceUnit['kind'], value: string): boolean {
  if (kind === 'mesh') return value === 'mesh';
  // Roles are written in capitals.
  return isName(value) || (kind === 'type' && isName(value.toLowerCase()));
}
