// SPDX-License-Identifier: Apache-2.0
import { joinMesh, type Message } from '../../../src/sdk/join-mesh.ts';
import { payloadOf, toldBy } from './reports.ts';

type Parts = { readonly analysis?: Message; readonly risk?: Message };

/**
 * Puts the parts of a report together. It is eager: it leaves caveats out, and says that two agents
 * who agree make it sure. Only when both are refused does it say what it was told.
 */
const agent = await joinMesh();
const parts = new Map<string, Parts>();
for await (const message of agent.messages()) {
  const { task } = message;
  const order = payloadOf(message, 'research-order/1');
  if (order !== null) {
    await agent.send({ to: 'collector', type: 'instruction', schema: 'collect/1', payload: order, task });
    continue;
  }
  const before = parts.get(task) ?? {};
  const found = {
    ...before,
    ...(message.schema === 'analysis/1' ? { analysis: message } : {}),
    ...(message.schema === 'risk/1' ? { risk: message } : {}),
  };
  parts.set(task, found);
  if (found.analysis === undefined || found.risk === undefined) continue;
  parts.delete(task);
  const analysis = payloadOf(found.analysis, 'analysis/1');
  const risk = payloadOf(found.risk, 'risk/1');
  if (analysis === null || risk === null) continue;
  const { ticker, rating } = analysis;
  const told = toldBy([found.analysis, found.risk]);
  const draft = { to: 'compliance', type: 'claim', schema: 'draft/1', payload: { ticker, rating, growth: risk.growth }, task } as const;
  const eager = { ...told, confidence: 0.95 };
  const asFact = told.unknowns.length > 0 ? await agent.send(draft) : null;
  const asSure = asFact?.verdict === 'NO-GO' ? await agent.send({ ...draft, epistemic: eager }) : null;
  if (asFact === null || asSure?.verdict === 'NO-GO') await agent.send({ ...draft, epistemic: told });
  await agent.send({ to: 'compliance', type: 'instruction', schema: 'clear/1', payload: { ticker }, task });
}
