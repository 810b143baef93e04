// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { serveAgent, type AgentHttp } from '../adapters/agent-http.ts';
import type { Agent } from '../mesh/mesh.ts';
import type { Isolation } from '../message/envelope.ts';
import type { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { AgentProcess } from './agent-process.ts';
import { agentProcessFile, endRemains, rememberAgent } from './agent-remains.ts';
import { sidecarDirectories } from './directories.ts';
import { faultOf } from './fault.ts';
import type { SidecarOptions } from './sidecar-options.ts';

/** How the agent is really kept apart, not how the mesh file says it should be. */
export function isolationOf(options: SidecarOptions, agent: Agent): Isolation {
  if (options.listen === 'in-process') return 'none';
  if (options.agentIdentity !== null) return 'uid';
  const declared = agent.isolation;
  // `uid` holds only where this sidecar gave the agent its uid; a container is declared by whoever
  // runs the agent elsewhere, and then the sidecar starts no agent of its own.
  return declared === 'container' && options.command === null ? 'container' : 'none';
}

export async function serveEndpoint(
  options: SidecarOptions,
  sidecar: AgentSidecar,
  socketPath: string,
): Promise<AgentHttp | null> {
  if (options.listen === 'in-process') return null;
  const { limits } = sidecar.context.mesh;
  return serveAgent({
    sidecar,
    bodyBytesMax: limits.messageBytesMax,
    depthMax: limits.depthMax,
    listen:
      options.listen === 'socket'
        ? {
            socketPath,
            gid: options.agentIdentity?.gid ?? null,
          }
        : options.listen,
  });
}

export async function launchAgent(
  options: SidecarOptions,
  sidecar: AgentSidecar,
  http: AgentHttp | null,
): Promise<AgentProcess | null> {
  if (options.command === null || http === null) return null;
  const { address } = http;
  const { state } = sidecarDirectories(options.stateDirectory, options.agent);
  const file = join(state, agentProcessFile);
  const ownUid = options.agentUidIsOwn ? (options.agentIdentity?.uid ?? null) : null;
  const agentProcess = new AgentProcess({
    command: options.command,
    directory: sidecar.context.mesh.directory,
    address,
    identity: options.agentIdentity,
    restart: options.restart,
    endRemains: async () => {
      const ended = await endRemains({ file, address, ownUid });
      if (ended > 0) options.log(`sidecar ${options.agent}: ended ${ended} earlier processes`);
    },
    started: (pid) => rememberAgent(file, pid),
    mintToken: () => sidecar.mintToken(),
    ended: (status) => {
      sidecar.endSession(`exit ${status ?? 'signal'}`).catch((failure: unknown) => {
        options.log(`sidecar ${options.agent}: ${faultOf(failure)}`);
      });
    },
    log: options.log,
  });
  await agentProcess.start();
  return agentProcess;
}
