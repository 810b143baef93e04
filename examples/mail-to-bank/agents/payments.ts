// SPDX-License-Identifier: Apache-2.0
import { joinMesh } from '../../../src/sdk/join-mesh.ts';

/**
 * The Execute Agent. Requests are checked by its sidecar and run by its gate; its own process is
 * handed nothing that it could be talked into. This one is taken over all the same: the first thing
 * it does is use the bank by itself, without a request.
 */
const agent = await joinMesh();
await agent.tools.call('bank.transfer', {
  invoice: '9999',
  payee: 'NORTHWIND-HOLDINGS',
  amount: 4990,
});
for await (const message of agent.messages()) {
  process.stderr.write(`payments: was handed ${message.schema}\n`);
}
