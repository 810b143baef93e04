// SPDX-License-Identifier: Apache-2.0
import type { ActionManifest, Mesh } from './mesh.ts';
import type { Problems } from './problems.ts';
import type { Path } from './yaml-source.ts';

/** Who may have a hand in an action, with the share of the largest family among declared models. */
export type FamilyShare = {
  readonly agents: readonly string[];
  readonly family: string;
  /** Of those that declare a family, 0 to 1. */
  readonly share: number;
};

/**
 * Whether the models that lead to one decision could err alike (EP-02, PG-2.9): agents that may ask for
 * an action of class HIGH or CRITICAL and whoever reaches them along declared edges; its challengers;
 * the judges. Only where families are declared: of the others nothing is known.
 */
export function familyProblems(problems: Problems): void {
  const { mesh } = problems.placed;
  for (const action of mesh.actions.values()) {
    if (action.risk !== 'HIGH' && action.risk !== 'CRITICAL') continue;
    const path: Path = ['security_mesh', 'actions', action.name];
    const share = familyShareOf(action, mesh);
    const most = mesh.epistemic?.familyShareMax ?? null;
    if (share !== null && most !== null && share.share > most) {
      problems.at('MESH_FAMILY_SHARE', 'error', path, textOf(share, action));
    } else if (share !== null && share.share === 1) {
      problems.at('MESH_FAMILY_ALONE', 'warning', path, textOf(share, action));
    }
    challengerProblems(problems, action, path);
    judgeProblems(problems, action, path);
  }
}

/** Null where fewer than two of its agents declare a family. */
export function familyShareOf(action: ActionManifest, mesh: Mesh): FamilyShare | null {
  const agents = contributorsOf(action, mesh).filter((name) => familyOf(name, mesh) !== null);
  if (agents.length < 2) return null;
  const counts = new Map<string, number>();
  for (const name of agents) {
    const family = familyOf(name, mesh) ?? '';
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  const [family = '', count = 0] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  return { agents, family, share: count / agents.length };
}

/** Whoever thinks on the way to an action: executors are left out, they read no prose. */
function contributorsOf({ name }: ActionManifest, { agents, edges }: Mesh): readonly string[] {
  const reached = new Set(edges.filter(({ mayRequest }) => mayRequest.includes(name)).map(({ from }) => from));
  for (const one of reached) for (const { from, to } of edges) if (to === one) reached.add(from);
  return [...reached].filter((one) => agents.get(one)?.role !== 'EXECUTOR');
}

function familyOf(agent: string, { agents }: Mesh): string | null {
  return agents.get(agent)?.modelFamily ?? null;
}

/** A challenger of the family of whoever asks makes the same mistakes (PG-3.5). */
function challengerProblems(problems: Problems, { name, assurance }: ActionManifest, path: Path): void {
  const { mesh } = problems.placed;
  const asking = mesh.edges.filter(({ mayRequest }) => mayRequest.includes(name)).map(({ from }) => from);
  for (const challenger of assurance?.challengedBy ?? []) {
    const family = familyOf(challenger, mesh);
    const alike = asking.filter((one) => one !== challenger && family !== null && familyOf(one, mesh) === family);
    if (alike.length === 0) continue;
    problems.at('MESH_CHALLENGER_FAMILY', 'warning', [...path, 'assurance'],
      `${challenger} challenges what ${alike.join(', ')} asks for, with a model of the same family.`);
  }
}

/** A judge of the family of those it judges lets through what they get wrong together. */
function judgeProblems(problems: Problems, action: ActionManifest, path: Path): void {
  const { mesh } = problems.placed;
  const share = familyShareOf(action, mesh);
  for (const { subject, model, second } of mesh.judge?.subjects ?? []) {
    const families = [model, second].map((one) => (one === null ? null : mesh.judge?.models.get(one)?.family ?? null));
    const others = families.filter((family) => family !== null && family !== share?.family);
    if (share === null || share.share < 1 || others.length > 0) continue;
    problems.at('MESH_JUDGE_FAMILY', 'warning', path,
      `The judge of ${subject} is of the family of every agent that leads to ${action.name}.`);
  }
}

function textOf({ agents, family, share }: FamilyShare, { name }: ActionManifest): string {
  return `${Math.round(100 * share)} % of the models that lead to ${name} (${agents.join(', ')}) are of the family ${family}.`;
}
