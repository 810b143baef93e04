// SPDX-License-Identifier: Apache-2.0
import type { WorkflowApi } from '../adapters/control-workflows-http.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { SqliteWorkflowChangeStore } from '../adapters/workflow-change-store-sqlite.ts';
import type { ChangePort } from '../bus/workflow-frames.ts';
import type { RevocationsContext } from '../control/revocations.ts';
import type { Approver } from '../oversight/approver.ts';
import type { ProposedChange } from '../control/workflow-change.ts';
import { WorkflowChanges } from '../control/workflow-changes.ts';
import { changeableEdges } from '../mesh/workflow-change.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { Plane } from './node-parts.ts';
import type { NodeMandates } from './node-mandates.ts';
import type { NodePolicies } from './node-policies.ts';

/** Changes of workflows at a node: what sidecars propose, and what people see and say of it. */
export type NodeWorkflows = {
  readonly changes: WorkflowChanges;
  readonly port: ChangePort;
};

type Around = {
  readonly policies: NodePolicies;
  readonly revocations: RevocationsContext;
  readonly approver: Approver;
  readonly mandates: NodeMandates;
};

export function nodeWorkflowsOf(
  { live, recorder, clock, database, operators }: Plane,
  { policies, revocations, approver, mandates }: Around,
): NodeWorkflows {
  const changes = new WorkflowChanges({
    store: new SqliteWorkflowChangeStore(database),
    recorder, clock, operators, revocations, approver,
    causedBy: (task) => sponsorsOf(mandates.registry.originOf(task), live.mesh),
    mintId: () => mintUlid(clock, systemRandom),
    inForce: () => ({ version: live.version, mesh: live.mesh }),
    versionOf: (id) => policies.versionOf(id),
    apply: (signed, bundle, change) => policies.apply(signed, bundle, change),
    narrow: (base, change) => policies.narrow(base, change),
  });
  return {
    changes,
    port: {
      changeWorkflow: async (agent, request) => {
        const answer = await changes.propose(request, agent);
        if (answer.state === 'refused') return { code: answer.code };
        const { id, version } = answer.proposed;
        return { state: answer.state, change: id, version };
      },
    },
  };
}

/** The operator who speaks through the agent that a task began with. */
function sponsorsOf(origin: string | null, mesh: Mesh): readonly string[] {
  const agent = mesh.agents.get(origin?.replace('agent:', '') ?? '');
  const sponsor = agent?.originator === true ? (agent.sponsor ?? null) : null;
  return sponsor === null ? [] : [sponsor];
}

const shownMax = 100;

/** What people on this machine see of it and say to it. */
export function workflowApi(workflows: NodeWorkflows, mesh: () => Mesh): WorkflowApi {
  const { changes } = workflows;
  return {
    list: () => shownWorkflows(workflows, mesh()),
    show: async (id) => {
      const found = await changes.show(id);
      return found === null ? null : shownChange(found);
    },
    release: (id, signed) => changes.release(id, signed),
    deny: (signed) => changes.deny(signed),
  };
}

/** Every workflow with edges that may be changed, who may change it, and what was proposed. */
export async function shownWorkflows({ changes }: NodeWorkflows, mesh: Mesh): Promise<JsonObject> {
  const edges = changeableEdges(mesh);
  const names = [...new Set(edges.flatMap(({ workflow }) => workflow ?? []))];
  return {
    workflows: names.map((workflow) => ({
      workflow,
      agents: [...mesh.agents.values()]
        .filter(({ mayChange }) => mayChange?.includes(workflow) === true).map(({ name }) => name),
      edges: edges.filter((edge) => edge.workflow === workflow)
        .map(({ from, to, domain, open }) => ({ from, to, domain, open: open === true })),
    })),
    changes: (await changes.list(shownMax)).map(shownChange),
  };
}

/** A change as people and programs see it. */
export function shownChange({ change, ...proposed }: ProposedChange): JsonObject {
  const { workflow, open, close } = change;
  return {
    ...proposed, workflow, open: open.map((edge) => ({ ...edge })), close: close.map((edge) => ({ ...edge })),
  };
}
