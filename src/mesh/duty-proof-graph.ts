// SPDX-License-Identifier: Apache-2.0
import type { DutyCause, DutyStep } from './duty-proof.ts';
import { readsThirdParties } from './duties.ts';
import type { ActionManifest, Mesh, ToolManifest } from './mesh.ts';

/** An edge on which an action may be requested. */
export type DutyRequest = DutyStep & { readonly action: ActionManifest };

/** Where influence arrives, with the shortest way it took. */
export type Downstream = {
  /** Null when nothing arrives; empty when the agent is itself a source. */
  readonly pathTo: (agent: string) => readonly DutyStep[] | null;
};

/** Who can have something asked for, with the shortest way to it. */
export type Upstream = {
  readonly pathFrom: (agent: string) => readonly DutyStep[] | null;
  readonly causes: (readers: ReadonlyMap<string, string>) => readonly DutyCause[];
};

/** The delegation graph of a mesh, indexed once. Edges that name unknown agents are left out. */
export type DutyGraph = {
  readonly mesh: Mesh;
  readonly requests: readonly DutyRequest[];
  readonly requestsByExecutor: ReadonlyMap<string, readonly DutyRequest[]>;
  /** Agents that read what third parties chose -> the tool that it comes from. */
  readonly readers: ReadonlyMap<string, string>;
  /** Tool -> agents that hold it. */
  readonly holders: ReadonlyMap<string, readonly string[]>;
  /** The tool itself and every other one that is handed the same credential. */
  readonly sameCredential: (tool: string) => readonly string[];
  /** False for agents that nothing leaves, which are upstream of nobody. */
  readonly sends: (agent: string) => boolean;
  readonly downstream: (sources: ReadonlyMap<string, string>) => Downstream;
  readonly upstream: (first: ReadonlyMap<string, DutyStep>) => Upstream;
};

export function buildDutyGraph(mesh: Mesh): DutyGraph {
  const steps = mesh.edges.flatMap(({ from, to, schemas, mayRequest }, edge): DutyStep[] => {
    const carries = schemas.length > 0 || mayRequest.length > 0;
    const known = mesh.agents.has(from) && mesh.agents.has(to);
    return carries && known ? [{ edge, from, to }] : [];
  });
  const requests = steps.flatMap((step) =>
    (mesh.edges[step.edge]?.mayRequest ?? []).flatMap((name): DutyRequest[] => {
      const action = mesh.actions.get(name);
      return action === undefined ? [] : [{ ...step, action }];
    }));
  const outgoing = Map.groupBy(steps, (step) => step.from);
  const incoming = Map.groupBy(steps, (step) => step.to);
  const isOriginator = (agent: string): boolean => mesh.agents.get(agent)?.originator === true;
  return {
    mesh,
    requests,
    requestsByExecutor: Map.groupBy(requests, (request) => request.to),
    readers: readersOf(mesh, requests),
    holders: holdersOf(mesh),
    sameCredential: credentialIndex(mesh),
    sends: (agent) => outgoing.has(agent),
    downstream: (sources) => downstream(sources, outgoing, isOriginator),
    upstream: (first) => upstream(first, incoming, isOriginator),
  };
}

/**
 * An agent's own tools return what it did not choose, and undeclared fields count as untrusted. An
 * executor sees results only through closed schemas, so only declared untrusted fields count for
 * it. An action that reads such a field hands it to whoever asked.
 */
function readersOf(mesh: Mesh, requests: readonly DutyRequest[]): ReadonlyMap<string, string> {
  const readers = new Map<string, string>();
  for (const agent of mesh.agents.values()) {
    const tool = agent.tools.find((name) =>
      agent.role !== 'EXECUTOR' || readsThirdParties(mesh, name));
    if (tool !== undefined) readers.set(agent.name, tool);
  }
  for (const { from, action } of requests) {
    if (!readers.has(from) && readsThirdParties(mesh, action.tool)) readers.set(from, action.tool);
  }
  return readers;
}

function holdersOf(mesh: Mesh): ReadonlyMap<string, readonly string[]> {
  const holders = new Map<string, string[]>();
  for (const agent of mesh.agents.values()) {
    for (const tool of agent.tools) {
      const known = holders.get(tool);
      if (known === undefined) holders.set(tool, [agent.name]);
      else known.push(agent.name);
    }
  }
  return holders;
}

function credentialIndex(mesh: Mesh): (tool: string) => readonly string[] {
  const toolsByCredential = new Map<string, string[]>();
  for (const tool of mesh.tools.values()) {
    for (const credential of credentialsOf(tool)) {
      const known = toolsByCredential.get(credential);
      if (known === undefined) toolsByCredential.set(credential, [tool.name]);
      else known.push(tool.name);
    }
  }
  return (name) => {
    const tool = mesh.tools.get(name);
    const shared = tool === undefined ? [] : credentialsOf(tool)
      .flatMap((credential) => toolsByCredential.get(credential) ?? []);
    return [...new Set([name, ...shared])];
  };
}

/** Credential files and secrets that the gate hands to a tool. */
function credentialsOf({ runner }: ToolManifest): readonly string[] {
  switch (runner.kind) {
    case 'http':
      return runner.credentialFile === null ? [] : [`file:${runner.credentialFile}`];
    case 'stdio':
      return Object.values(runner.env).filter((value) => value.startsWith('gate-secret:'));
    case 'function':
      return [];
    default:
      return runner satisfies never;
  }
}

/** Breadth first, so that each way found is a shortest one; it never enters an originator. */
function downstream(
  sources: ReadonlyMap<string, string>,
  outgoing: ReadonlyMap<string, readonly DutyStep[]>,
  isOriginator: (agent: string) => boolean,
): Downstream {
  const cameBy = new Map<string, DutyStep | null>();
  for (const agent of sources.keys()) cameBy.set(agent, null);
  for (const agent of cameBy.keys()) {
    for (const step of outgoing.get(agent) ?? []) {
      if (!cameBy.has(step.to) && !isOriginator(step.to)) cameBy.set(step.to, step);
    }
  }
  return {
    pathTo: (agent) => {
      let step = cameBy.get(agent);
      if (step === undefined) return null;
      const path: DutyStep[] = [];
      while (step !== null && step !== undefined) {
        path.unshift(step);
        step = cameBy.get(step.from);
      }
      return path;
    },
  };
}

/** Breadth first and backwards from the agents that ask; it never goes past an originator. */
function upstream(
  first: ReadonlyMap<string, DutyStep>,
  incoming: ReadonlyMap<string, readonly DutyStep[]>,
  isOriginator: (agent: string) => boolean,
): Upstream {
  const goesBy = new Map<string, { readonly step: DutyStep; readonly hops: number }>();
  for (const [agent, step] of first) goesBy.set(agent, { step, hops: 1 });
  for (const [agent, { hops }] of goesBy) {
    if (isOriginator(agent)) continue;
    for (const step of incoming.get(agent) ?? []) {
      if (!goesBy.has(step.from)) goesBy.set(step.from, { step, hops: hops + 1 });
    }
  }
  return {
    pathFrom: (agent) => {
      let way = goesBy.get(agent);
      if (way === undefined) return null;
      const path: DutyStep[] = [way.step];
      while (way.hops > 1) {
        const next = goesBy.get(way.step.to);
        if (next === undefined) break;
        path.push(next.step);
        way = next;
      }
      return path;
    },
    causes: (readers) => [...goesBy].map(([agent, { step, hops }]) => ({
      agent, next: step.to, edge: step.edge, hops, reads: readers.has(agent),
    })),
  };
}
