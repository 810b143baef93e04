// SPDX-License-Identifier: Apache-2.0
import { deselectionLine } from './deselection.ts';
import { actionsOf, isPrivileged, readsThirdParties } from './duties.ts';
import type { Agent, DeselectedControl, Mesh } from './mesh.ts';
import { isTierProvided } from './tier-advice.ts';

/** What `maso check` tells about a mesh that may start: data for `--json`, lines for people. */
export type MeshDescription = {
  readonly autonomyTier: number;
  readonly mode: string;
  readonly digest: string;
  readonly tiers: readonly DomainTier[];
  readonly deselected: readonly DeselectedControl[];
  readonly duties: readonly Duty[];
};

export type DomainTier = {
  readonly domain: string;
  readonly tier: string;
  readonly available: boolean;
};

export type Duty = {
  readonly agent: string;
  readonly role: string;
  readonly isolation: string;
  readonly readsThirdParties: readonly string[];
  readonly executes: readonly string[];
  readonly privileged: boolean;
  /** Whom it may instruct; null for originators, who may instruct whomever their edges lead to. */
  readonly assigns: readonly string[] | null;
  readonly mayChange: readonly string[];
};

export function describeMesh(mesh: Mesh): MeshDescription {
  return {
    autonomyTier: mesh.autonomyTier,
    mode: mesh.mode,
    digest: mesh.digest,
    tiers: [...mesh.domains.values()].map(({ name, tier }) => ({
      domain: name, tier, available: isTierProvided(tier),
    })),
    deselected: mesh.deselected,
    duties: [...mesh.agents.values()].map((agent) => dutyOf(mesh, agent)),
  };
}

function dutyOf(mesh: Mesh, agent: Agent): Duty {
  const executes = actionsOf(mesh, agent.name);
  return {
    agent: agent.name,
    role: agent.role,
    isolation: agent.isolation,
    readsThirdParties: agent.tools.filter((tool) => readsThirdParties(mesh, tool)),
    executes: executes.map((action) => `${action.name} (${action.risk})`),
    privileged: executes.some(isPrivileged),
    assigns: agent.originator ? null : (agent.assigns ?? []),
    mayChange: agent.mayChange ?? [],
  };
}

/** The description as lines, one for each agent at the end. */
export function describeLines(description: MeshDescription): readonly string[] {
  const { autonomyTier, mode, tiers, deselected, duties } = description;
  const lines = [`autonomy tier ${autonomyTier}, mode ${mode}, digest ${description.digest}`];
  for (const { domain, tier, available } of tiers) {
    const note = available ? 'provided' : 'not provided by this build: every exchange is refused';
    lines.push(`domain ${domain}: ${tier}, ${note}`);
  }
  if (deselected.length === 0) lines.push('no control is deselected');
  lines.push(...deselected.map(deselectionLine));
  for (const duty of duties) lines.push(dutyLine(duty));
  return lines;
}

function dutyLine(duty: Duty): string {
  const reads = listed(duty.readsThirdParties, 'nothing');
  const executes = listed(duty.executes, 'nothing');
  const assigns = duty.assigns === null ? 'whomever its edges lead to' : listed(duty.assigns);
  const changes = duty.mayChange.length === 0 ? '' : `, may change ${duty.mayChange.join(', ')}`;
  return `agent ${duty.agent}: ${duty.role}, isolation ${duty.isolation}, ` +
    `third-party data from ${reads}, executes ${executes}, assigns work to ${assigns}${changes}`;
}

function listed(names: readonly string[], none = 'nobody'): string {
  return names.length === 0 ? none : names.join(', ');
}
