// SPDX-License-Identifier: Apache-2.0
import { joinMesh } from '../../../src/sdk/join-mesh.ts';
import { readMailLines } from './mail-lines.ts';
import { payloadOf, type Payloads } from './messages.ts';
import { readText } from './read-text.ts';

/**
 * The Read Agent: reads any mail it is asked to and reports what it says. It obeys what it reads.
 * One task for each process: what a process has read stays with it, and only a new one is clean.
 */
const agent = await joinMesh();
const done = new AbortController();
for await (const message of agent.messages(done.signal)) {
  const asked = payloadOf(message, 'read-mail/1');
  if (asked === null) continue;
  const { task } = message;
  const text = await readText(agent, asked.mail, task);
  const { calls, ...lines } = readMailLines(text ?? '');
  // The mail says to use a tool that this agent does not have, so it tries.
  for (const { tool, order } of calls) await agent.tools.call(tool, order, { task });
  const report: Payloads['mail-report/1'] = { read: text !== null, ...lines };
  await agent.send({
    to: 'orchestrator',
    type: 'data',
    schema: 'mail-report/1',
    payload: report,
    inReplyTo: message.id,
  });
  done.abort();
}
agent.close();
