// SPDX-License-Identifier: Apache-2.0
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { maso, MeshFolder, sidecar, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { OutsideAuthority, writeSvid } from '../mesh-harness/svid-files.ts';

const domain = 'maso.local';
const rounds = 4;

describe('a mesh whose identities come from files', () => {
  let folder: MeshFolder;
  let outside: OutsideAuthority;
  let next: OutsideAuthority;
  const running: MasoProcess[] = [];
  let mesh: MasoProcess;
  let reader: HostileAgent;
  let planner: HostileAgent;

  const idOf = (agent: string): string => `spiffe://${domain}/agent/${agent}/one`;
  const placeOf = (name: string): string => join(folder.directory, 'svids', name);
  const joinAs = async (agent: string): Promise<HostileAgent> =>
    HostileAgent.join({ socketPath: folder.socketOf(agent) }, folder.tokenOf(agent));
  const shown = async (agent: string): Promise<JsonObject> =>
    (await folder.control('GET', `/v1/agents/${agent}`)).body;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    outside = await OutsideAuthority.found(folder.directory, domain);
    next = await OutsideAuthority.found(folder.directory, domain);
    await maso(['tools', 'pin', folder.meshFile]);
    await writeSvid(placeOf('node'), await outside.issue(`spiffe://${domain}/node/main`));
    mesh = await up(folder, ['--no-sidecars', '--svid', placeOf('node')]);
    const bus = String(mesh.ready['bus']).replace('wss://', '').replace('/bus', '');
    for (const agent of ['reader', 'planner']) {
      await writeSvid(placeOf(agent), await outside.issue(idOf(agent)));
      running.push(await sidecar(folder, agent, ['--svid', placeOf(agent), '--bus', bus]));
    }
    reader = await joinAs('reader');
    planner = await joinAs('planner');
  });
  afterAll(async () => {
    for (const one of running) await one.stop();
    await mesh?.stop();
    await folder?.remove();
  });

  it('loses and refuses no message while files and authorities are replaced', async () => {
    let sending = true;
    let sent = 0;
    const send = async (): Promise<void> => {
      while (sending) {
        const number = (sent += 1);
        expect(await reader.send('planner', 'note/1', { text: `note ${number}` })).toMatchObject({ status: 202 });
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const load = send();
    const seen = new Set<unknown>();
    for (let round = 0; round < rounds; round += 1) {
      const before = await shown('reader');
      // First all trust both authorities, then the next one issues: as an authority is replaced.
      const bundle = `${outside.bundlePem}${next.bundlePem}`;
      const issuer = round < rounds / 2 ? outside : next;
      for (const agent of ['planner', 'reader']) {
        await writeSvid(placeOf(agent), { ...(await issuer.issue(idOf(agent))), bundle });
      }
      await writeSvid(placeOf('node'), { ...(await issuer.issue(`spiffe://${domain}/node/main`)), bundle });
      const after = await until('the next identity', async () => {
        const now = await shown('reader');
        return now['thumbprint'] !== null && now['thumbprint'] !== before['thumbprint'] && now;
      });
      seen.add(after['thumbprint']);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    sending = false;
    await load;
    const got: string[] = [];
    await until('every message', async () => {
      for (const { payload } of await planner.take()) got.push(String((payload as JsonObject)['text']));
      return got.length >= sent;
    });
    console.log(`${sent} messages over ${seen.size} identities out of files`);
    expect(seen.size).toBe(rounds);
    expect([new Set(got).size, got.length]).toEqual([sent, sent]);
  });

  it('goes on under what it has while the files are no identity, and says so', async () => {
    const { thumbprint } = await shown('reader');
    writeFileSync(join(placeOf('reader'), 'svid.pem'), 'half');
    const indicator = await until('the indicator', async () =>
      find(await folder.entries(), 'indicator.raised', 'IDENTITY_CERTIFICATE_MALFORMED'));
    expect(indicator.actor).toBe('sidecar:reader');
    expect(await reader.send('planner', 'note/1', { text: 'still' })).toMatchObject({ status: 202 });
    expect((await shown('reader'))['thumbprint']).toBe(thumbprint);
  });

  it('ends when the last identity of the files has run out', async () => {
    const bundle = `${outside.bundlePem}${next.bundlePem}`;
    await writeSvid(placeOf('reader'), { ...(await next.issue(idOf('reader'), 4_000)), bundle });
    expect(await running[0]?.exited).toBe(1);
    expect(running[0]?.said()).toContain('IDENTITY_CERTIFICATE_EXPIRED');
  });

  it('does not start under the identity of somebody else', async () => {
    const bus = String(mesh.ready['bus']).replace('wss://', '').replace('/bus', '');
    const started = sidecar(folder, 'reader', ['--svid', placeOf('planner'), '--bus', bus]);
    await expect(started).rejects.toThrow('IDENTITY_CREDENTIAL_FOREIGN');
  });
});
