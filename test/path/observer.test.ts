// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock-system.ts';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { systemRandom } from '../../src/adapters/random-system.ts';
import { signPaceOrder } from '../../src/pace/statement.ts';
import { mintUlid } from '../../src/message/identifiers.ts';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';
import { signObserved, verifyObserved } from '../../src/observer/statement.ts';
import { startObserver, type RunningObserver } from '../../src/process/observer.ts';
import { operatorKey } from '../mesh-harness/attack-mesh.ts';
import { find } from '../mesh-harness/log-entries.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { paceMesh, pacePeople } from '../mesh-harness/pace-mesh.ts';
import { MeshFolder, until } from '../mesh-harness/running-mesh.ts';

const silenceMs = 4_000;

describe('a mesh that declares an observer', () => {
  const people = pacePeople();
  const key = operatorKey();
  const stranger = operatorKey();
  const clock = systemClock();
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let observer: RunningObserver | null = null;

  beforeAll(async () => {
    const { kty, crv, x } = key.publicJwk;
    const declared = `    observer: { public_key: ${JSON.stringify({ kty, crv, x })}, silence_ms: ${silenceMs} }\n`;
    folder = await MeshFolder.create(paceMesh(people, ['one'], declared));
    mesh = await MeshInProcess.start(folder, ['one']);
  });
  afterAll(async () => {
    observer?.close();
    await mesh?.close();
    await folder?.remove();
  });

  const lease = () => mesh.sidecar('one').sidecar.context.lease;

  const say = (verdict: 'consent' | 'ask', by = key) => {
    const statement = {
      id: mintUlid(clock, systemRandom), verdict, size: 1, operator: 'observer', at: clock.nowMs(), reason: 'test',
    } as const;
    return folder.control('POST', '/v1/observer', { signed: signObserved(statement, by) });
  };

  const stops = async (): Promise<readonly JsonObject[]> => {
    const { body } = await folder.control('GET', '/v1/pace');
    return Array.isArray(body['stops']) ? body['stops'].filter(isJsonObject) : [];
  };

  it('does nothing HIGH or CRITICAL before it has spoken, and goes on with the rest', () => {
    expect([lease().isValid(), lease().coversPrivileged()]).toEqual([true, false]);
  });

  it('does not believe somebody else in its name', async () => {
    expect(await say('consent', stranger)).toMatchObject({ status: 409 });
  });

  it('works while it reads the log and consents, and stops what is dangerous when it falls silent', async () => {
    observer = await startObserver({
      mesh: readMeshOrThrow(folder.meshFile),
      logDirectory: join(folder.state, 'log'),
      controlSocket: join(folder.state, 'control', 'node.sock'),
      key,
      log: () => undefined,
    });
    await until('a lease for everything', () => lease().coversPrivileged());
    const tested = await until('its self-test on record', async () => find(await folder.entries(), 'observer.tested', null));
    expect(tested.detail).toMatchObject({ made: 5, missed: [] });
    expect(verifyObserved(String(tested.detail['signed']), key.publicJwk)).toMatchObject({ ok: true });
    expect((await folder.control('GET', '/v1/pace')).body['observer'])
      .toMatchObject({ consents: true, test: { at: tested.detail['testedAt'], made: 5, missed: [] } });
    observer.close();
    await until('its silence to be noticed', () => !lease().coversPrivileged());
    expect(lease().isValid()).toBe(true);
  });

  it('puts its wish for an emergency before people, who may decline it', async () => {
    expect(await say('ask')).toMatchObject({ status: 200 });
    const [asked] = await until('the question', async () => {
      const found = await stops();
      return found.length > 0 ? found : null;
    });
    expect(asked).toMatchObject({ by: 'observer', stage: 'asked', unit: 'mesh:mesh' });
    expect(mesh.sidecar('one').sidecar.context.pace.clamp('one').allows).toBe('all');
    const order = { op: 'decline', stop: String(asked?.['id']) } as const;
    const statement = { id: mintUlid(clock, systemRandom), order, operator: 'bob', at: clock.nowMs(), reason: '' };
    const signed = signPaceOrder(statement, people.bob);
    expect(await folder.control('POST', '/v1/pace/orders', { signed })).toMatchObject({ status: 200 });
    expect(await stops()).toEqual([]);
  });
});
