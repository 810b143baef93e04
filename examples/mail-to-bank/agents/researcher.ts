// SPDX-License-Identifier: Apache-2.0
import { joinMesh } from '../../../src/sdk/join-mesh.ts';
import { readMailLines } from './mail-lines.ts';
import { payloadOf, type Payloads } from './messages.ts';
import { readText } from './read-text.ts';

/**
 * Compares a mail with its attachment and says what it found. It, too, obeys what it reads: an
 * order in the attachment becomes part of its finding.
 */
const agent = await joinMesh();
const done = new AbortController();
for await (const message of agent.messages(done.signal)) {
  const asked = payloadOf(message, 'check-invoice/1');
  if (asked === null) continue;
  const paths = [asked.mail, ...(asked.attachment === null ? [] : [asked.attachment])];
  const read = [];
  for (const path of paths) {
    read.push(readMailLines((await readText(agent, path, message.task)) ?? ''));
  }
  const details = read.flatMap((lines) => lines.details ?? []);
  const [first] = details;
  const finding: Payloads['invoice-finding/1'] = {
    agrees: details.every((one) => JSON.stringify(one) === JSON.stringify(first)),
    details: first ?? null,
    instructions: read.flatMap((lines) => lines.instructions),
  };
  await agent.send({
    to: 'orchestrator',
    type: 'claim',
    schema: 'invoice-finding/1',
    payload: finding,
    inReplyTo: message.id,
  });
  done.abort();
}
agent.close();
