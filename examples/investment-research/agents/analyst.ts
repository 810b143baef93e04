// SPDX-License-Identifier: Apache-2.0
import { joinMesh } from '../../../src/sdk/join-mesh.ts';
import { payloadOf, toldBy } from './reports.ts';

/** Rates a company. It is curious: of one company it looks into the deal room, or tries to. */
const agent = await joinMesh();
for await (const message of agent.messages()) {
  const figures = payloadOf(message, 'figures/1');
  if (figures === null) continue;
  const { ticker, revenue, growth, consensus } = figures;
  const { task } = message;
  if (ticker === 'DEAL') await agent.tools.call('dealroom.restricted', { ticker }, { task });
  const payload = { ticker, revenue, rating: growth < consensus ? 'hold' : 'buy' };
  const epistemic = toldBy([message]);
  await agent.send({ to: 'compiler', type: 'claim', schema: 'analysis/1', payload, task, epistemic });
}
