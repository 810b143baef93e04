// SPDX-License-Identifier: Apache-2.0
import { joinMesh, type Message } from '../../../src/sdk/join-mesh.ts';
import { payloadOf, toldBy, type Payloads } from './reports.ts';

/** Compares growth with what the market expects, and challenges drafts by what it was told itself. */
const agent = await joinMesh();
const told = new Map<string, { readonly message: Message; readonly figures: Payloads['figures/1'] }>();
for await (const message of agent.messages()) {
  const { task } = message;
  const figures = payloadOf(message, 'figures/1');
  if (figures !== null) {
    told.set(task, { message, figures });
    const { ticker, growth, consensus } = figures;
    const found = growth > consensus ? 'above-consensus' : growth < consensus ? 'below-consensus' : 'at-consensus';
    const payload = { ticker, growth: found };
    await agent.send({ to: 'compiler', type: 'claim', schema: 'risk/1', payload, task, epistemic: toldBy([message]) });
  }
  const draft = payloadOf(message, 'draft/1');
  const known = told.get(task);
  if (draft === null || known === undefined) continue;
  // What is worth less than its debts, everybody in this made-up market knows.
  const payload = { standing: known.figures.revenue <= 30 ? 'falls' : 'stands' };
  const epistemic = toldBy([known.message, message]);
  await agent.send({ to: 'compliance', type: 'claim', schema: 'challenge-answer/1', payload, task, epistemic });
}
