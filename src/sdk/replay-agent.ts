// SPDX-License-Identifier: Apache-2.0
// An agent of `maso replay`: its sidecar starts it, and it does what the replay says on a socket.
// Arguments: the agent's name, the path of the socket.
import { createConnection, type Socket } from 'node:net';
import {
  listenTo,
  monotonicUs,
  sayTo,
  type ReplayAgent,
  type ReplayJob,
} from '../process/replay-protocol.ts';
import { joinMesh, type MeshAgent } from './join-mesh.ts';
import { SidecarRefused } from './sidecar-http.ts';

type Answer = {
  readonly id: string | null;
  readonly verdict: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly code: string | null;
};

const [name = '', socketPath = ''] = process.argv.slice(2);
const agent = await joinMesh();
const socket = createConnection(socketPath);
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(0));
socket.once('connect', () => sayTo(socket, { kind: 'joined', agent: name as ReplayAgent }));
if (name === 'recipient') await passOn(agent, socket);
else listenTo<ReplayJob>(socket, (job) => void work(job, agent, socket));

async function work(job: ReplayJob, mesh: MeshAgent, line: Socket): Promise<void> {
  const startedUs = monotonicUs();
  try {
    const answer = job.text === null ? await read(job, mesh) : await send(job.text, mesh);
    const endedUs = monotonicUs();
    sayTo(line, { kind: 'done', number: job.number, ...answer, startedUs, endedUs });
  } catch (failure) {
    if (!(failure instanceof SidecarRefused)) throw failure;
    // A session that was ended takes nothing: the next process of this agent is handed the job.
    if (line.writableEnded) return;
    sayTo(line, { kind: 'gone', number: job.number });
    // Others that were under way meet the same end in this turn.
    setImmediate(() => line.end());
  }
}

async function send(text: string, mesh: MeshAgent): Promise<Answer> {
  const sent = await mesh.send({
    to: 'recipient',
    type: 'data',
    schema: 'note/1',
    payload: { text },
  });
  return { id: sent.messageId, verdict: sent.verdict, code: sent.code };
}

async function read({ tool, number }: ReplayJob, mesh: MeshAgent): Promise<Answer> {
  const result = await mesh.tools.call(`${tool ?? ''}.read`, { number });
  return { id: result.traceId, verdict: result.verdict, code: result.code };
}

async function passOn(mesh: MeshAgent, line: Socket): Promise<void> {
  for await (const message of mesh.messages()) {
    sayTo(line, { kind: 'received', id: message.id, atUs: monotonicUs() });
  }
}
