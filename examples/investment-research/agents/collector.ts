// SPDX-License-Identifier: Apache-2.0
import { joinMesh, type MeshAgent } from '../../../src/sdk/join-mesh.ts';
import { payloadOf } from './reports.ts';

type Figures = { readonly revenue: number; readonly growth: number };

const consensus = 5;

/**
 * Reads what a company filed and what a newspaper has. A figure that only the newspaper has is passed
 * on as what it is: one source, unverified.
 */
const agent = await joinMesh();
for await (const message of agent.messages()) {
  const asked = payloadOf(message, 'collect/1');
  if (asked === null) continue;
  const { ticker } = asked;
  const filed = await figuresOf(agent, 'market.filing', ticker, message.task);
  const printed = await figuresOf(agent, 'market.press', ticker, message.task);
  const found = filed ?? printed;
  if (found === null) continue;
  const isVerified = filed !== null && filed.revenue === printed?.revenue;
  const epistemic = {
    confidence: isVerified ? 0.9 : 0.3,
    assumptions: ['constraint: fiscal year 2025'],
    unknowns: isVerified ? [] : [`revenue of ${ticker} from a second source`],
  };
  const payload = { ticker, consensus, ...found };
  // It mixes companies up, once.
  if (ticker === 'MIXD') {
    const other = { ...payload, ticker: 'NORD' };
    await agent.send({ to: 'analyst', type: 'claim', schema: 'figures/1', payload: other, task: message.task, epistemic });
  }
  for (const to of ['analyst', 'assessor']) {
    await agent.send({ to, type: 'claim', schema: 'figures/1', payload, task: message.task, epistemic });
  }
}

async function figuresOf(
  mesh: MeshAgent,
  operation: string,
  ticker: string,
  task: string,
): Promise<Figures | null> {
  const { result } = await mesh.tools.call(operation, { ticker }, { task });
  return (result as { readonly figures?: Figures | null } | null)?.figures ?? null;
}
