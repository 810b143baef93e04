// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';

/** Where a node keeps what it needs; the checkpoints lie outside the log's own directory. */
export function nodeDirectories(stateDirectory: string) {
  return {
    node: join(stateDirectory, 'node'),
    log: join(stateDirectory, 'log'),
    checkpoints: join(stateDirectory, 'checkpoints'),
    /** Of a witness that runs beside the node, which reads nothing else here. */
    witness: join(stateDirectory, 'witness'),
    /** An index over the log that anybody may delete: it is made again. */
    index: join(stateDirectory, 'index', 'record.sqlite'),
    /** Keys of kept payloads, outside the log: this file alone is what an erasure erases. */
    payloadKeys: join(stateDirectory, 'payload-keys', 'keys.sqlite'),
    operators: join(stateDirectory, 'operators'),
    exporters: join(stateDirectory, 'exporters'),
    /** Kills that a node which does not answer finds before it gives out another lease. */
    stops: join(stateDirectory, 'control', 'stops'),
    controlSocket: join(stateDirectory, 'control', 'node.sock'),
    /** Certificates of the mesh's authorities, for whoever verifies mandates or envelopes. */
    bundle: join(stateDirectory, 'bundle.pem'),
  } as const;
}

export function sidecarDirectories(stateDirectory: string, agent: string) {
  return {
    state: join(stateDirectory, 'sidecars', agent),
    /** Files that the agent's tools keep, for the user that they run as alone. */
    tools: join(stateDirectory, 'tools', agent),
    /** A directory of its own, mode 0700: the socket's access control. */
    socket: join(stateDirectory, 'run', agent, 'agent.sock'),
  } as const;
}

/** The node's own name in its SPIFFE id. */
export const nodeName = 'main';

/** Longer paths cannot name a unix socket on any platform we support. */
export const socketPathBytesMax = 103;
