// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { maso, MeshFolder, sidecar, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const lifetimeMs = 8_000;

/** In the order of the tests. Nothing here may be repaired silently: that would found another mesh. */
describe('identities whose authority or files fail', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let alone: MasoProcess;

  beforeAll(async () => {
    const files = attackMesh(makePeople());
    const text = files['security_mesh.yaml'] ?? '';
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': text.replace('interval_ms: 600000', `interval_ms: ${lifetimeMs}`),
    });
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder, ['--no-sidecars']);
    alone = await sidecar(folder, 'reader', ['--join-token', await folder.joinTokenFile('reader')]);
  });
  afterAll(async () => {
    await alone?.stop();
    await mesh?.stop();
    await folder?.remove();
  });

  const startAgain = (file: string, change: (text: string) => string, start: () => Promise<unknown>) => {
    const path = join(folder.state, file);
    const before = readFileSync(path, 'utf8');
    writeFileSync(path, change(before));
    return start().then(
      () => 'started',
      (failure: Error) => failure.message,
    ).finally(() => writeFileSync(path, before));
  };

  it('a sidecar goes on without its node until its identity has run out, and then says so', async () => {
    const place = { socketPath: folder.socketOf('reader') };
    const reader = await HostileAgent.join(place, folder.tokenOf('reader'));
    await mesh.kill();
    const at = performance.now();
    const read = await reader.post('/v1/tools/call', { tool: 'notes', operation: 'read' });
    expect(read).toMatchObject({ status: 200 });
    expect(await alone.exited).toBe(1);
    console.log(`ended ${Math.round(performance.now() - at)} ms after its node was killed`);
    expect(performance.now() - at).toBeLessThanOrEqual(lifetimeMs + 5_000);
    expect(alone.said()).toContain('IDENTITY_CERTIFICATE_EXPIRED');
  });

  it('an identity that ran out is not resumed', async () => {
    const again = await sidecar(folder, 'reader').catch((failure: Error) => failure.message);
    expect(again).toContain('CONTROL_ENROLMENT_REFUSED');
  });

  it('a damaged key file of a sidecar stops it, and others may not read it', async () => {
    const file = 'sidecars/reader/credential.pem';
    const start = () => sidecar(folder, 'reader');
    const cut = await startAgain(file, (text) => text.slice(0, 40), start);
    expect(cut).toContain('IDENTITY_CREDENTIAL_CORRUPT');
    const mixed = await startAgain(file, (text) => text.replace(/[A-Za-z0-9+/]{8}(?=\n-----END P)/, 'AAAAAAAA'), start);
    expect(mixed).toContain('IDENTITY_CREDENTIAL_CORRUPT');
  });

  it('a damaged key of the authority stops the node, and so does that of its KMS', async () => {
    const start = () => up(folder, ['--no-sidecars']);
    const authority = 'node/authority/authority.json';
    const key = await startAgain(authority, (text) => text.replace(/"key": "..../, '"key": "AAAA'), start);
    expect(key).toContain('IDENTITY_AUTHORITY_CORRUPT');
    const half = await startAgain(authority, (text) => text.slice(0, text.length / 2), start);
    expect(half).toContain('IDENTITY_AUTHORITY_CORRUPT');
    const path = join(folder.state, 'node', 'kms.key');
    const secret = readFileSync(path);
    writeFileSync(path, Buffer.alloc(32));
    const wrapped = await start().then(() => 'started', (failure: Error) => failure.message);
    expect(wrapped).toContain('IDENTITY_AUTHORITY_CORRUPT');
    writeFileSync(path, secret.subarray(1));
    const short = await start().then(() => 'started', (failure: Error) => failure.message);
    expect(short).toContain('KMS_KEY_INVALID');
    writeFileSync(path, secret);
    mesh = await start();
    alone = await sidecar(folder, 'reader', ['--join-token', await folder.joinTokenFile('reader')]);
  });
});
