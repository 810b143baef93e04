// SPDX-License-Identifier: Apache-2.0
import { readMeshOrThrow } from '../adapters/mesh-files.ts';
import { startSidecar } from '../process/sidecar.ts';
import { AgentApi, type ApiAnswer } from '../sidecar/agent-api.ts';
import { agentRequests } from '../sidecar/agent-requests.ts';
import type { AgentMemory } from '../sidecar/memory.ts';
import { meshAgent, type MeshAgent } from './join-mesh.ts';
import { SidecarRefused, type Call } from './sidecar-http.ts';

export type InProcessOptions = {
  readonly meshFile: string;
  readonly agent: string;
  /** Where the sidecar keeps its key and state. */
  readonly stateDirectory: string;
  /** From the node; not needed while the identity of the last start is valid. */
  readonly joinToken?: string;
  readonly log?: (line: string) => void;
};

type Route = (api: AgentApi, body: unknown, memory: AgentMemory, signal: AbortSignal) => Promise<ApiAnswer>;

const never = new AbortController().signal;

const routes: { readonly [path: string]: Route } = {
  '/v1/tasks': (api, body, memory) => api.startTask(agentRequests.startTask.parse(body), memory),
  '/v1/chat/completions': (api, body, memory, signal) =>
    api.complete(agentRequests.complete.parse(body), memory, signal),
  '/v1/tasks/end': (api, body, memory) => api.endTask(agentRequests.endTask.parse(body), memory),
  '/v1/mandates': (api, body, memory) =>
    api.holdMandate(agentRequests.holdMandate.parse(body), memory),
  '/v1/messages': (api, body, memory) =>
    api.sendMessage(agentRequests.sendMessage.parse(body), memory),
  '/v1/requests': (api, body, memory, signal) =>
    api.requestAction(agentRequests.requestAction.parse(body), memory, signal),
  '/v1/tools/call': (api, body, memory) => api.callTool(agentRequests.callTool.parse(body), memory),
  '/v1/memory/remember': (api, body, memory) =>
    api.remember(agentRequests.remember.parse(body), memory),
  '/v1/memory/recall': (api, body, memory) => api.recall(agentRequests.recall.parse(body), memory),
  '/v1/knowledge/query': (api, body, memory) => api.query(agentRequests.query.parse(body), memory),
  '/v1/children': (api, body, memory) => api.spawn(agentRequests.spawn.parse(body), memory),
  '/v1/children/end': (api, body) => api.endChild(agentRequests.endChild.parse(body)),
  '/v1/workflows': async (api) => api.listWorkflows(),
  '/v1/workflows/changes': (api, body, memory) =>
    api.changeWorkflow(agentRequests.changeWorkflow.parse(body), memory),
  '/v1/tools': async (api) => api.listTools(),
  '/v1/inbox': (api, body, memory, signal) =>
    api.takeMessages(agentRequests.takeMessages.parse(body), memory, signal),
  '/v1/inbox/ack': (api, body, memory) =>
    api.acknowledge(agentRequests.acknowledge.parse(body), memory),
};

/**
 * Joins the mesh with the sidecar inside this process: `isolation: none`. An agent that is taken
 * over holds the sidecar's key and can say anything in its own name; the rest of the mesh is still
 * guarded by bus and recipients. Said at start, carried in every entry, refused for executors.
 */
export async function joinMeshInProcess(options: InProcessOptions): Promise<MeshAgent> {
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  log(`maso: isolation: none. The sidecar of ${options.agent} runs in the agent's own process.`);
  const mesh = readMeshOrThrow(options.meshFile);
  if (mesh.agents.get(options.agent)?.role === 'EXECUTOR') {
    throw new SidecarRefused('POLICY_ISOLATION_WEAK');
  }
  const running = await startSidecar({
    mesh,
    agent: options.agent,
    stateDirectory: options.stateDirectory,
    joinToken: options.joinToken ?? null,
    command: null,
    restart: 'never',
    agentIdentity: null,
    agentUidIsOwn: false,
    toolIdentity: null,
    listen: 'in-process',
    log,
  });
  const opened = await running.sidecar.openSession(await running.mintToken());
  if (!opened.ok) throw new SidecarRefused(opened.code);
  const api = new AgentApi(running.sidecar);
  const call = async ({ path, body, signal }: Call): Promise<ApiAnswer['body']> => {
    const memory = running.sidecar.authenticate(opened.sessionKey);
    const route = routes[path];
    if (memory === null || route === undefined) throw new SidecarRefused('SIDECAR_SESSION_UNKNOWN');
    return (await route(api, body, memory, signal ?? never)).body;
  };
  return meshAgent(options.agent, 'none', call, () => void running.close());
}
