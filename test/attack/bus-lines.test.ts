// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientTlsOptions } from '../../src/adapters/tls-options.ts';
import { BusLine, type Intruder } from '../mesh-harness/bus-line.ts';
import { recorded, startIntruderMesh } from '../mesh-harness/intruder-mesh.ts';
import type { MasoProcess, MeshFolder } from '../mesh-harness/running-mesh.ts';

/** Whoever holds a genuine identity and then keeps the node waiting. */
describe.concurrent('a line that leads nowhere', () => {
  let folder: MeshFolder;
  let node: MasoProcess;
  let mallory: Intruder;
  let planner: Intruder;
  let digest: string;

  beforeAll(async () => {
    ({ folder, node, mallory, planner, digest } = await startIntruderMesh());
  });
  afterAll(async () => {
    await node?.stop();
    await folder?.remove();
  });


  it('is ended when it never says who speaks', async () => {
    const { credential, bundlePem, nodeSpiffeId, port } = mallory;
    const line = await BusLine.open(clientTlsOptions(credential, bundlePem, nodeSpiffeId), port);
    expect((await line.ended).status).toBe(1006);
    await recorded(folder, 'identity.refused', 'BUS_HELLO_LATE');
  }, 30_000);

  it('is ended when it gives no sign of life', async () => {
    const line = await BusLine.hello(mallory, digest, 'answers no ping');
    expect((await line.ended).status).toBe(1006);
    await recorded(folder, 'identity.refused', 'BUS_PEER_SILENT');
  }, 40_000);

  it('stays while it answers, however little it says', async () => {
    const line = await BusLine.hello(planner, digest);
    const ended = line.ended.then(() => 'ended');
    const still = new Promise((resolve) => setTimeout(() => resolve('still there'), 17_000));
    expect(await Promise.race([ended, still])).toBe('still there');
    line.close();
  }, 30_000);
});
