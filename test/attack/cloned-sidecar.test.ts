// SPDX-License-Identifier: Apache-2.0
import { spawn, type ChildProcess } from 'node:child_process';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import {
  maso, masoProgram, MeshFolder, sidecar, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

/** In the order of the tests: a thief copies the state directory of a sidecar, key and all. */
describe('a sidecar whose state directory was copied', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let original: MasoProcess;
  let stolen: string;
  const thieves: ChildProcess[] = [];

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder, ['--no-sidecars']);
    original = await sidecar(folder, 'reader', ['--join-token', await folder.joinTokenFile('reader')]);
    stolen = join(folder.directory, 'c');
    mkdirSync(join(stolen, 'sidecars'), { recursive: true, mode: 0o711 });
    cpSync(join(folder.state, 'sidecars', 'reader'), join(stolen, 'sidecars', 'reader'), { recursive: true });
  });
  afterAll(async () => {
    for (const thief of thieves) thief.kill('SIGKILL');
    await original?.stop();
    await mesh?.stop();
    await folder?.remove();
  });

  const startCopy = (): ChildProcess => {
    const thief = spawn(process.execPath, [
      masoProgram, 'sidecar', folder.meshFile, '--agent', 'reader', '--state', stolen, '--json',
    ], { stdio: 'ignore' });
    thieves.push(thief);
    return thief;
  };
  const ended = (child: ChildProcess): Promise<void> =>
    new Promise((resolve) => child.once('exit', () => resolve()));
  const reader = async () => (await folder.control('GET', '/v1/agents/reader')).body;

  it('stays connected alone while it is alive: the copy is refused, and noticed', async () => {
    const before = await reader();
    const thief = startCopy();
    const refused = await until('the indicator', async () =>
      find(await folder.entries(), 'indicator.raised', 'BUS_IDENTITY_CLONED'));
    expect(refused.detail).toMatchObject({ agent: 'reader', indicator: 'COMPROMISE' });
    expect(await reader()).toMatchObject({
      connectedSince: before['connectedSince'], spiffeId: before['spiffeId'], revoked: false,
    });
    thief.kill('SIGKILL');
    await ended(thief);
  });

  it('loses the identity together with the copy that connected in its absence', async () => {
    const { spiffeId } = await reader();
    await original.kill();
    const thief = startCopy();
    await until('the copy', async () => (await reader())['spiffeId'] === spiffeId);
    // Nothing tells the copy from the original that was started again, until the original is.
    const again = await sidecar(folder, 'reader').catch((failure: Error) => failure.message);
    expect(String(again)).toContain('BUS_IDENTITY_CLONED');
    const { revocations } = await until('the revocation', async () => {
      const shown = await reader();
      return shown['spiffeId'] === null && shown;
    });
    expect(revocations).toMatchObject([{ op: 'revoke', target: { kind: 'instance', value: spiffeId } }]);
    thief.kill('SIGKILL');
    await ended(thief);
    original = await sidecar(folder, 'reader', ['--join-token', await folder.joinTokenFile('reader')]);
    expect((await reader())['spiffeId']).not.toBe(spiffeId);
  });
});
