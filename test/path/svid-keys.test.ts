// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { intermediateHeaders } from '../../src/adapters/presented-chain.ts';
import { clientTlsOptions } from '../../src/adapters/tls-options.ts';
import { credentialFromPem } from '../../src/identity/credential-pem.ts';
import { envelopeHeader } from '../../src/identity/envelope-header.ts';
import { signCompactJws } from '../../src/identity/jws.ts';
import type { SignatureAlgorithm } from '../../src/identity/key-algorithm.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { makePeople } from '../mesh-harness/attack-mesh.ts';
import { bodyOf, BusLine, entryOf, type Intruder } from '../mesh-harness/bus-line.ts';
import { mandateMesh } from '../mesh-harness/mandate-mesh.ts';
import { maso, MeshFolder, sidecar, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { SpireAuthority, type KeyKind } from '../mesh-harness/spire-authority.ts';
import { writeSvid } from '../mesh-harness/svid-files.ts';

const domain = 'maso.local';
/** One of each kind on the way of one order: who issues, who narrows, who asks, who executes. */
const kinds: { readonly [agent: string]: KeyKind } = {
  desk: 'ec-p256', planner: 'ec-p384', clerk: 'rsa-2048', payments: 'rsa-4096',
};

describe('a mesh whose keys are as SPIRE makes them', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let intruder: Intruder;
  let spire: SpireAuthority;
  let digest: string;
  const running: MasoProcess[] = [];
  const agents = new Map<string, HostileAgent>();

  const placeOf = (name: string): string => join(folder.directory, 'svids', name);
  const agent = (name: string): HostileAgent => {
    const found = agents.get(name);
    if (found === undefined) throw new Error(name);
    return found;
  };
  const calls = (): number => {
    const file = join(folder.directory, 'calls.log');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };
  const ask = async (from: string, task: string): Promise<JsonObject> => {
    const asked = { to: 'payments', action: 'count', parameters: { name: 'a' }, task, waitMs: 20_000 };
    const { body } = await agent(from).post('/v1/requests', { ...asked, idempotencyKey: `key-${from}-${task}` });
    return (body['outcome'] ?? body) as JsonObject;
  };

  beforeAll(async () => {
    folder = await MeshFolder.create(mandateMesh(makePeople()));
    // As SPIRE's server is below its UpstreamAuthority: the bundle holds only what stands above both.
    const upstream = await SpireAuthority.found(domain, 'rsa-2048');
    spire = await (await upstream.below({ kind: 'rsa-2048', names: [], pathLength: 1 })).below({ pathLength: 0 });
    await maso(['tools', 'pin', folder.meshFile]);
    await writeSvid(placeOf('node'), await spire.issue('node/main', 'ec-p256'));
    mesh = await up(folder, ['--no-sidecars', '--svid', placeOf('node')]);
    const bus = String(mesh.ready['bus']).replace('wss://', '').replace('/bus', '');
    for (const [name, kind] of Object.entries(kinds)) {
      await writeSvid(placeOf(name), await spire.issue(`agent/${name}/one`, kind));
      running.push(await sidecar(folder, name, ['--svid', placeOf(name), '--bus', bus]));
      if (name === 'payments') continue;
      const place = { socketPath: folder.socketOf(name) };
      agents.set(name, await HostileAgent.join(place, folder.tokenOf(name)));
    }
    const { svid, key } = await spire.issue('agent/intern/one', 'ec-p256');
    const port = Number(bus.split(':')[1]);
    const nodeSpiffeId = `spiffe://${domain}/node/main`;
    intruder = { credential: credentialFromPem(svid, key), bundlePem: spire.bundlePem, port, nodeSpiffeId };
    const begun = (await folder.entries()).find(({ kind }) => kind === 'mesh.started');
    digest = String(begun?.detail['meshDigest']);
  }, 120_000);
  afterAll(async () => {
    for (const one of running) await one.stop();
    await mesh?.stop();
    await folder?.remove();
  });

  it('takes an order from one to the other, with the mandate that each narrows, to the call', async () => {
    const prompt = { to: 'planner', schema: 'order/1', prompt: { text: 'count' } };
    const started = await agent('desk').post('/v1/tasks', prompt);
    expect(started.status, JSON.stringify(started.body)).toBe(202);
    const task = String(started.body['task']);
    await until('the order', async () => (await agent('planner').take(500)).length > 0);
    const passed = await agent('planner').post('/v1/messages', {
      to: 'clerk', type: 'instruction', schema: 'order/1', payload: { text: 'do it' }, task,
    });
    expect(passed.status, JSON.stringify(passed.body)).toBe(202);
    await until('the order', async () => (await agent('clerk').take(500)).length > 0);
    expect(await ask('clerk', task)).toMatchObject({ status: 'DONE' });
    expect(calls()).toBe(1);
    const reviewed = await until('the review', async () =>
      (await folder.entries()).find(({ kind, task: of }) => kind === 'request.reviewed' && of === task));
    expect(String(reviewed.detail['mandate'] ?? '')).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  it('takes no line whose certificate nothing leads from to the bundle', async () => {
    const { credential, bundlePem, port, nodeSpiffeId } = intruder;
    const options = clientTlsOptions(credential, bundlePem, nodeSpiffeId);
    const headers = intermediateHeaders(credential);
    const name = Object.keys(headers)[0] ?? '';
    const stranger = await (await SpireAuthority.found(domain)).below();
    const [near = '', far = ''] = (headers[name] ?? '').split('.');
    const forged = Buffer.from(stranger.certificatePem.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64');
    for (const text of [null, near, `${far}.${near}`, `${forged}.${far}`, 'AAAA', `${near}.${far}.${far}.${far}`]) {
      const given = text === null ? {} : { headers: { [name]: text } };
      await expect(BusLine.open({ ...options, ...given } as ConnectionOptions, port)).rejects.toThrow();
    }
    const codes = await until('the refusals', async () => {
      const refused = (await folder.entries()).map(({ code }) => code).filter((code) => code?.startsWith('IDENTITY_CERTIFICATE'));
      return refused.length > 0 && new Set(refused);
    });
    expect(codes).toContain('IDENTITY_CERTIFICATE_UNTRUSTED');
    (await BusLine.open({ ...options, headers } as ConnectionOptions, port)).close();
  });

  async function publish(header: string, signer = intruder.credential.privateKey): Promise<unknown> {
    const body = bodyOf(intruder.credential, {
      to: 'planner', domain: 'work', schema: 'note/1', provenance: { source: 'agent', isolation: 'uid' },
    });
    const part = Buffer.from(header, 'latin1').toString('base64url');
    // A forged header ends the line: each attempt has one of its own.
    const line = await until('a line', () => BusLine.hello(intruder, digest).catch(() => null));
    const answer = await line.publish(signCompactJws(part, canonicalize(body), signer), entryOf(body));
    line.close();
    return answer['kind'] === 'refused' ? answer['code'] : answer['kind'];
  }

  it('takes no envelope under another algorithm than that of its key', async () => {
    const { thumbprint } = intruder.credential;
    for (const named of ['EdDSA', 'ES384', 'PS256'] satisfies readonly SignatureAlgorithm[]) {
      expect(await publish(envelopeHeader(thumbprint, named))).toBe('IDENTITY_HEADER_REFUSED');
    }
    const none = envelopeHeader(thumbprint).replace('EdDSA', 'none ');
    expect(await publish(none)).toBe('IDENTITY_HEADER_REFUSED');
    const hmac = envelopeHeader(thumbprint).replace('EdDSA', 'HS256');
    expect(await publish(hmac)).toBe('IDENTITY_HEADER_REFUSED');
    expect(await publish(envelopeHeader(thumbprint, 'ES256'))).toBe('accepted');
  });
});
