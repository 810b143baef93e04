// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import {
  appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent, type Heard } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import {
  isRoot, maso, MeshFolder, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

const canMount =
  isRoot && existsSync('/proc/mounts') && spawnSync('mount', ['--version']).status === 0;

/** Each part of the state stands on a small disk of its own that can fill up or refuse to write. */
describe.skipIf(!canMount)('a mesh whose disk fails (needs root and mount)', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess | null = null;
  const mounted: string[] = [];
  const agents = new Map<string, HostileAgent>();
  let key = 0;

  const setUp = async (): Promise<void> => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    await maso(['tools', 'pin', folder.meshFile]);
  };
  const tearDown = async (): Promise<void> => {
    for (const directory of mounted) spawnSync('mount', ['-o', 'remount,rw', directory]);
    await mesh?.stop();
    for (const directory of mounted.splice(0)) run('umount', ['-l', directory]);
    agents.clear();
    await folder.remove();
  };

  const run = (program: string, args: readonly string[]): void => {
    const ended = spawnSync(program, args);
    if (ended.status !== 0) throw new Error(`${program}: ${ended.stderr.toString()}`);
  };

  function mountDisk(part: string): void {
    const directory = join(folder.state, part);
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    run('mount', ['-t', 'tmpfs', '-o', 'size=24m,mode=0700', 'tmpfs', directory]);
    mounted.push(directory);
  }

  async function startMesh(): Promise<void> {
    mesh = await up(folder);
    for (const agent of ['desk', 'reader', 'planner']) {
      const place = { socketPath: folder.socketOf(agent) };
      agents.set(agent, await HostileAgent.join(place, folder.tokenOf(agent)));
    }
    const prompt = { text: 'a', payee: 'ACME-SUPPLIES', amount: 10 };
    await as('desk').post('/v1/tasks', { to: 'planner', schema: 'order/1', prompt });
    await until('the order', async () => (await as('planner').take(500)).length > 0);
  }

  /** A disk of its own that the kernel itself can turn read-only: null where it has none to give. */
  function mountFaultyDisk(directory: string): { readonly fail: () => void } | null {
    const image = join(folder.directory, 'disk.img');
    writeFileSync(image, '');
    truncateSync(image, 24 * 1024 * 1024);
    if (spawnSync('mkfs.ext4', ['-q', '-F', image]).status !== 0) return null;
    const options = ['-o', 'loop,errors=remount-ro', image, directory];
    if (spawnSync('mount', options).status !== 0) return null;
    mounted.push(directory);
    const mounts = readFileSync('/proc/mounts', 'utf8').split('\n');
    const [device = ''] = mounts.find((line) => line.split(' ')[1] === directory)?.split(' ') ?? [];
    const trigger = join('/sys/fs/ext4', basename(device), 'trigger_fs_error');
    return existsSync(trigger) ? { fail: () => writeFileSync(trigger, '1') } : null;
  }

  function as(agent: string): HostileAgent {
    const joined = agents.get(agent);
    if (joined === undefined) throw new Error('not joined');
    return joined;
  }

  function fill(directory: string): void {
    const filler = join(directory, 'filler');
    writeFileSync(filler, '');
    for (let size = 64 * 1024; size >= 1; size = Math.floor(size / 2)) {
      for (;;) {
        try {
          appendFileSync(filler, Buffer.alloc(size));
        } catch {
          // Full for pieces of this size; smaller ones may still fit.
          break;
        }
      }
    }
  }

  const pay = (): Promise<Heard> =>
    as('planner').post('/v1/requests', {
      to: 'payments', action: 'pay_invoice', idempotencyKey: `pay-${++key}`, waitMs: 8_000,
      task: as('planner').task,
      parameters: {
        invoice: '1', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: `order-000${key}`,
      },
    });
  const read = (): Promise<Heard> =>
    as('reader').post('/v1/tools/call', { tool: 'notes', operation: 'read' });
  const note = (text: string): Promise<Heard> => as('reader').send('planner', 'note/1', { text });
  const isPaid = (heard: Heard): boolean =>
    (heard.body['outcome'] as JsonObject | undefined)?.['status'] === 'DONE';

  async function expectVerifiable(): Promise<void> {
    const verified = await maso(['recorder', 'verify', '--state', folder.state, '--json']);
    expect(verified.status, verified.out + verified.err).toBe(0);
  }

  describe('under one mesh, one after the other', () => {
    beforeAll(async () => {
      await setUp();
      for (const part of ['log', 'node', 'sidecars']) mountDisk(part);
      await startMesh();
    });
    afterAll(tearDown);

    it('stops payments when the log is full, reads on, says so, loses nothing', async () => {
      const log = join(folder.state, 'log');
      expect(isPaid(await pay())).toBe(true);
      const accepted: string[] = [];
      fill(log);
      const told: Heard[] = [];
      for (let index = 0; index < 3; index += 1) told.push(await note('while the log is full'));
      for (const heard of told) {
        if (heard.status === 202) accepted.push(String(heard.body['messageId']));
        else expect(heard.body['code']).toBe('UNAVAILABLE');
      }
      expect(accepted.length).toBeLessThan(3);
      expect(isPaid(await pay())).toBe(false);
      const reading = await read();
      expect(reading).toMatchObject({ status: 200, body: { verdict: 'GO' } });
      const { body } = await folder.control('GET', '/v1/status');
      expect((body['recorder'] as JsonObject)['state']).not.toBe('available');
      expect(mesh?.said()).toMatch(/recorder: (unavailable|reserve) \(RECORDER_[A-Z_]+\)/);
      rmSync(join(log, 'filler'));
      const after = await until('messages again', async () => {
        const heard = await note('after');
        return heard.status === 202 ? heard : null;
      });
      accepted.push(String(after.body['messageId']));
      await until('payments again', async () => isPaid(await pay()));
      await until('every accepted message and the reading in the log', async () => {
        const entries = await folder.entries();
        const isThere = (kind: string, message: unknown): boolean =>
          entries.some((entry) => entry.kind === kind && entry.message === message);
        return isThere('tool.outcome', reading.body['callId']) &&
          accepted.every((id) => isThere('message.admitted', id) && isThere('message.delivered', id));
      });
      await expectVerifiable();
    }, 90_000);

    it('keeps what a recipient received while the log was full, and turns in no circle', async () => {
      const log = join(folder.state, 'log');
      const sent = await note('just before');
      fill(log);
      expect(sent.status).toBe(202);
      const usedMs = cpuMs(mesh?.pid ?? 0);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      expect(cpuMs(mesh?.pid ?? 0) - usedMs).toBeLessThan(600);
      rmSync(join(log, 'filler'));
      await until('the delivery in the log', async () =>
        (await folder.entries()).some((entry) =>
          entry.kind === 'message.delivered' && entry.message === sent.body['messageId']));
    }, 90_000);

    it('refuses messages when the queue cannot be written, and stays up', async () => {
      const directory = join(folder.state, 'node');
      const saidBefore = mesh?.said().length ?? 0;
      await until('an empty inbox', async () => (await as('planner').take(300)).length === 0);
      expect((await note('before')).status).toBe(202);
      const taken = (await as('planner').take(1_000)).length;
      expect(taken).toBe(1);
      fill(directory);
      const told = [];
      for (let index = 0; index < 5; index += 1) told.push(await note('x'.repeat(15_000)));
      expect(
        told.some((heard) => heard.status === 403 && heard.body['code'] === 'UNAVAILABLE')
      ).toBe(true);
      const accepted = told.filter((heard) => heard.status === 202).length;
      rmSync(join(directory, 'filler'));
      await until('messages again', async () => (await note('after')).status === 202);
      let received = 0;
      await until('every accepted message', async () => {
        received += (await as('planner').take(500)).length;
        return received >= accepted + 1;
      });
      expect(mesh?.said().slice(saidBefore)).not.toContain('Error:');
      await expectVerifiable();
    }, 90_000);

    it('hands its agent nothing whose label it cannot keep', async () => {
      const directory = join(folder.state, 'sidecars');
      fill(directory);
      const heard = await read();
      expect(heard.status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(heard.body)).not.toContain('EVIL');
      rmSync(join(directory, 'filler'));
      await until('reading again', async () => (await read()).status === 200);
    }, 90_000);

    it('does not start on a log that it cannot write, and says so', async () => {
      const log = join(folder.state, 'log');
      await mesh?.stop();
      run('mount', ['-o', 'remount,ro', log]);
      await expect(up(folder)).rejects.toThrow(/RECORDER_[A-Z_]+/);
    }, 90_000);
  });

  describe('that breaks', () => {
    beforeAll(setUp);
    afterAll(tearDown);

    it('stops payments when the disk of the log turns read-only, and loses nothing', async (context) => {
      const log = join(folder.state, 'log');
      mkdirSync(log, { recursive: true, mode: 0o700 });
      const disk = mountFaultyDisk(log);
      if (disk === null) return context.skip('needs loop devices and the fault trigger of ext4');
      await startMesh();
      expect(isPaid(await pay())).toBe(true);
      const before = await note('before');
      expect(before.status).toBe(202);
      disk.fail();
      expect(isPaid(await pay())).toBe(false);
      expect((await note('on a disk that cannot be written')).body['code']).toBe('UNAVAILABLE');
      expect(await read()).toMatchObject({ status: 200, body: { verdict: 'GO' } });
      expect(mesh?.said()).toMatch(/recorder: unavailable \(RECORDER_[A-Z_]+\)/);
      await mesh?.stop();
      run('umount', ['-l', log]);
      const repaired = spawnSync('e2fsck', ['-p', '-f', join(folder.directory, 'disk.img')]);
      expect(repaired.status).toBeLessThan(4);
      run('mount', ['-o', 'loop', join(folder.directory, 'disk.img'), log]);
      agents.clear();
      await startMesh();
      const isAdmitted = (entry: { readonly kind: string; readonly message: string | null }): boolean =>
        entry.kind === 'message.admitted' && entry.message === before.body['messageId'];
      expect((await folder.entries()).some(isAdmitted)).toBe(true);
      await until('payments again', async () => isPaid(await pay()));
      await expectVerifiable();
    }, 90_000);
  });
});

/** Processor time that a process has used, from the kernel's count of hundredths of a second. */
function cpuMs(pid: number): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
