// SPDX-License-Identifier: Apache-2.0
import { buildDutyGraph, type DutyGraph, type DutyRequest } from './duty-proof-graph.ts';
import { isPrivileged, readsThirdParties } from './duties.ts';
import type { MeshCode } from './codes.ts';
import type { ActionManifest, Agent, Mesh } from './mesh.ts';
import { perHourOf } from './resolve-bounds.ts';
import { parameterProseGaps, proseGaps } from './prose.ts';

/** One edge of `mesh.edges` on a path, by its index. */
export type DutyStep = { readonly edge: number; readonly from: string; readonly to: string };

/** What breaks separation of duties, and the path it runs along; empty when one agent suffices. */
export type DutyBreach = {
  readonly code: MeshCode;
  /** The agent that holds too much, or where the path begins. */
  readonly agent: string;
  readonly executor: string | null;
  readonly action: string | null;
  readonly tool: string | null;
  readonly path: readonly DutyStep[];
};

/** How one parameter of an action is bound; a free one is whatever its schema admits. */
export type DutyParameter = {
  readonly name: string;
  readonly from: readonly string[];
  /** Further sources while the texts that the manifest names are a person's own words. */
  readonly ownWordsFrom: readonly string[];
  readonly atMost: number | null;
  /** How many values are listed. */
  readonly oneOf: number | null;
  /** How many values need no source. */
  readonly always: number;
  /** A person may endorse a value that has no source. */
  readonly endorsable: boolean;
  readonly perHour: number | null;
  readonly free: boolean;
};

/** An agent that can have an action asked for, and the first edge on its shortest way there. */
export type DutyCause = {
  readonly agent: string;
  readonly next: string;
  readonly edge: number;
  /** Edges to the executor; 1 asks itself. */
  readonly hops: number;
  readonly reads: boolean;
};

/** One action of one executor: who can cause it, over which edges, under which constraints. */
export type DutyRight = {
  readonly executor: string;
  readonly action: string;
  readonly risk: string;
  readonly operation: string;
  /** People who must release it whoever asks: 0, 1 or 2. */
  readonly people: number;
  readonly parameters: readonly DutyParameter[];
  readonly causes: readonly DutyCause[];
};

export type DutyProof = {
  readonly holds: boolean;
  readonly agents: number;
  readonly edges: number;
  readonly breaches: readonly DutyBreach[];
  readonly rights: readonly DutyRight[];
};

/**
 * Proves separation of duties over the whole delegation graph (seed 000 section 3, IA-2.5): no
 * agent, alone or over edges, both reads what third parties chose and has a HIGH or CRITICAL action
 * run that neither a sensitive parameter nor a person binds; executors are sent no prose; no agent
 * upstream of an executor holds its credential; orchestrators hold no tool. Influence runs along
 * every edge and stops at originators, whose words are a person's. Cedar policies and OISpecs may
 * narrow further and are not counted. Pure; linear in the graph for each executor.
 */
export function proveDuties(mesh: Mesh): DutyProof {
  const graph = buildDutyGraph(mesh);
  const breaches = [
    ...aloneBreaches(mesh), ...delegatedBreaches(graph), ...credentialBreaches(graph),
    ...proseBreaches(mesh),
  ];
  return {
    holds: breaches.length === 0,
    agents: mesh.agents.size,
    edges: mesh.edges.length,
    breaches,
    rights: rightsOf(graph),
  };
}

/** What only a look along the edges shows; the rest is found agent by agent when a mesh loads. */
export function graphBreaches(mesh: Mesh): readonly DutyBreach[] {
  const graph = buildDutyGraph(mesh);
  return [...delegatedBreaches(graph), ...credentialBreaches(graph)];
}

/** People who must release an action before it runs, whatever else it holds. */
export function peopleFor(action: ActionManifest, mesh: Mesh): number {
  if (action.risk === 'CRITICAL') return 2;
  return action.approval === 'required' || (mesh.autonomyTier === 1 && action.write) ? 1 : 0;
}

/** True when the manifest or a person stands between a requester and what it would like to do. */
export function isBound(action: ActionManifest, mesh: Mesh): boolean {
  return action.sensitive.size > 0 || peopleFor(action, mesh) > 0;
}

function aloneBreaches(mesh: Mesh): DutyBreach[] {
  const found: DutyBreach[] = [];
  const privilegedTools = new Set([...mesh.actions.values()].filter(isPrivileged)
    .map((action) => action.tool));
  const privilegedExecutors = new Set<string>();
  for (const { to, mayRequest } of mesh.edges) {
    const role = mesh.agents.get(to)?.role;
    for (const name of mayRequest) {
      const action = mesh.actions.get(name);
      if (role === undefined || action === undefined) continue;
      if (isPrivileged(action)) privilegedExecutors.add(to);
      if (role !== 'EXECUTOR') {
        found.push({ ...alone('MESH_DUTIES_NOT_EXECUTOR', to, action.tool), action: name });
      }
    }
  }
  for (const agent of mesh.agents.values()) {
    for (const tool of agent.tools) {
      const code = toolBreach(agent, privilegedTools.has(tool));
      if (code !== null) found.push(alone(code, agent.name, tool));
      if (privilegedExecutors.has(agent.name) && readsThirdParties(mesh, tool)) {
        found.push(alone('MESH_DUTIES_READS_AND_EXECUTES', agent.name, tool));
      }
    }
  }
  return found;
}

function toolBreach(agent: Agent, isPrivilegedTool: boolean): MeshCode | null {
  if (agent.originator) return 'MESH_DUTIES_ORIGINATOR_TOOL';
  if (agent.role === 'ORCHESTRATOR') return 'MESH_DUTIES_ORCHESTRATOR_TOOL';
  if (agent.role === 'EXECUTOR' || !isPrivilegedTool) return null;
  return 'MESH_DUTIES_PRIVILEGED_READER';
}

function alone(code: MeshCode, agent: string, tool: string): DutyBreach {
  return { code, agent, executor: null, action: null, tool, path: [] };
}

/** Whoever reads what third parties chose chooses nothing that an unbound action would take. */
function delegatedBreaches(graph: DutyGraph): DutyBreach[] {
  const { mesh, requests, readers } = graph;
  const unbound = requests.filter(({ action }) => isPrivileged(action) && !isBound(action, mesh));
  if (unbound.length === 0) return [];
  const arrived = graph.downstream(readers);
  return unbound.flatMap((request): DutyBreach[] => {
    const path = arrived.pathTo(request.from);
    if (path === null) return [];
    const agent = path[0]?.from ?? request.from;
    return [{
      code: 'MESH_DUTIES_DELEGATED',
      agent,
      executor: request.to,
      action: request.action.name,
      tool: readers.get(agent) ?? null,
      path: [...path, stepOf(request)],
    }];
  });
}

/** A credential of an executor that an agent upstream holds too lets that agent skip the gate. */
function credentialBreaches(graph: DutyGraph): DutyBreach[] {
  const found: DutyBreach[] = [];
  for (const [executor, requests] of graph.requestsByExecutor) {
    const holders = holdersOf(graph, executor, requests);
    if (holders.size === 0) continue;
    const upstream = graph.upstream(new Map(requests.map((request) => [request.from, request])));
    for (const [agent, tool] of holders) {
      const path = upstream.pathFrom(agent);
      if (path === null) continue;
      found.push({
        code: 'MESH_DUTIES_CREDENTIAL_UPSTREAM', agent, executor, action: null, tool, path,
      });
    }
  }
  return found;
}

/** Other agents that hold a credential with which this executor writes, each with the tool. */
function holdersOf(
  graph: DutyGraph,
  executor: string,
  requests: readonly DutyRequest[],
): ReadonlyMap<string, string> {
  const holders = new Map<string, string>();
  const tools = new Set(requests.filter(({ action }) => action.write)
    .map(({ action }) => action.tool));
  for (const written of tools) {
    for (const tool of graph.sameCredential(written)) {
      for (const agent of graph.holders.get(tool) ?? []) {
        const isOther = agent !== executor && graph.sends(agent);
        if (isOther && !holders.has(agent)) holders.set(agent, tool);
      }
    }
  }
  return holders;
}

function actionHoldsProse(
  action: ActionManifest,
  mayHoldProse: (schema: ActionManifest['parameters']) => boolean,
): boolean {
  // Only where some parameter may be opaque is it proven anew.
  const parameters = mayHoldProse(action.parameters) &&
    ((action.opaque?.size ?? 0) === 0 || parameterProseGaps(action).length > 0);
  return parameters || mayHoldProse(action.output);
}

function proseBreaches(mesh: Mesh): DutyBreach[] {
  const found: DutyBreach[] = [];
  const known = new Map<object, boolean>();
  const mayHoldProse = (schema: ActionManifest['parameters'] | undefined): boolean => {
    if (schema === undefined) return false;
    const answer = known.get(schema) ?? proseGaps(schema).length > 0;
    known.set(schema, answer);
    return answer;
  };
  for (const [index, { from, to, schemas, mayRequest }] of mesh.edges.entries()) {
    if (mesh.agents.get(to)?.role !== 'EXECUTOR') continue;
    const actions = mayRequest.map((name) => mesh.actions.get(name));
    const reaches = schemas.some((id) => mayHoldProse(mesh.schemas.get(id)?.schema)) ||
      actions.some((action) => action !== undefined && actionHoldsProse(action, mayHoldProse));
    if (!reaches) continue;
    const path = [{ edge: index, from, to }];
    const code = 'MESH_EXECUTOR_PROSE';
    found.push({ code, agent: from, executor: to, action: null, tool: null, path });
  }
  return found;
}

function rightsOf(graph: DutyGraph): DutyRight[] {
  const rights: DutyRight[] = [];
  for (const [executor, requests] of graph.requestsByExecutor) {
    const byAction = Map.groupBy(requests, ({ action }) => action);
    for (const [action, asked] of byAction) {
      const first = new Map(asked.map((request) => [request.from, request]));
      rights.push({
        executor,
        action: action.name,
        risk: action.risk,
        operation: `${action.tool}.${action.operation}`,
        people: peopleFor(action, graph.mesh),
        parameters: parametersOf(action),
        causes: graph.upstream(first).causes(graph.readers),
      });
    }
  }
  return rights;
}

/** Sensitive parameters by their path, then those that no path goes into. */
function parametersOf(action: ActionManifest): DutyParameter[] {
  const bound = [...action.sensitive].map(([name, rule]) => ({
    name,
    from: rule.from,
    ownWordsFrom: rule.ownWords?.from ?? [],
    atMost: rule.atMost,
    oneOf: rule.oneOf?.length ?? null,
    always: rule.always?.size ?? 0,
    endorsable: rule.endorsable === true,
    perHour: perHourOf(action.caps.get(name)),
    free: false,
  }));
  const starts = new Set([...action.sensitive.keys()].flatMap((path) => [path, first(path)]));
  const properties = Object.keys(Object(action.parameters['properties'] ?? {}));
  const others = properties.filter((name) => !starts.has(name)).map((name) => ({
    name,
    from: [],
    ownWordsFrom: [],
    atMost: null,
    oneOf: null,
    always: 0,
    endorsable: false,
    perHour: perHourOf(action.caps.get(name)),
    free: true,
  }));
  return [...bound, ...others];
}

function first(path: string): string {
  return path.split('.')[0] ?? path;
}

function stepOf({ edge, from, to }: DutyRequest): DutyStep {
  return { edge, from, to };
}
