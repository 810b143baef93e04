// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exchange, HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { CrashLoad } from '../mesh-harness/crash-load.ts';
import { codesWithout, unnumbered } from '../mesh-harness/dropped-entry.ts';
import {
  maso, MeshFolder, sidecar, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

const kills = Number(process.env['MASO_KILL_ROUNDS'] ?? 50);
const seed = Number(process.env['MASO_KILL_SEED'] ?? Math.floor(Math.random() * 1e9));
const agents = ['reader', 'planner', 'payments'] as const;
type Victim = 'node' | 'desk' | (typeof agents)[number];

/** Deterministic, so that a failing order of kills can be run again with its seed. */
function seeded(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe('a mesh whose processes are killed under load', () => {
  let folder: MeshFolder;
  /** Orders the work, and is not killed: its word is what everybody's mandate rests on. */
  let desk: HostileAgent;
  const running = new Map<Victim, MasoProcess>();
  const random = seeded(seed);

  const start = async (victim: Victim): Promise<void> => {
    const started =
      victim === 'node'
        ? await up(folder, ['--no-sidecars'])
        : await sidecar(
          folder, victim,
          existsSync(join(folder.state, 'sidecars', victim)) ? [] : [
            '--join-token', await folder.joinTokenFile(victim),
          ]
        );
    running.set(victim, started);
  };
  const kill = async (victim: Victim): Promise<void> => {
    await running.get(victim)?.kill();
  };

  beforeAll(async () => {
    const files = attackMesh(makePeople(), ', queued_messages_max: 100000');
    const text = files['security_mesh.yaml'] ?? '';
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': text.replace('development: false', 'development: true').replaceAll(
        'message_lifetime_ms: 20000', 'message_lifetime_ms: 60000'
      ),
    });
    await maso(['tools', 'pin', folder.meshFile]);
    await start('node');
    await Promise.all([...agents, 'desk' as const].map(start));
    const place = { socketPath: folder.socketOf('desk') };
    desk = await HostileAgent.join(place, folder.tokenOf('desk'));
  });
  afterAll(async () => {
    await Promise.all([...agents, 'desk' as const].map((agent) => running.get(agent)?.stop()));
    await running.get('node')?.stop();
    await folder?.remove();
  });

  it(`loses nothing acknowledged and acts once: ${kills} kills, seed ${seed}`, async () => {
    const load = await CrashLoad.start(folder, desk);
    let killed = 0;
    while (killed < kills) {
      await new Promise((resolve) => setTimeout(resolve, 20 + random() * 150));
      const first = pick(random);
      const second = random() < 0.4 ? pick(random) : first;
      const victims = [...new Set<Victim>([first, second])];
      await Promise.all(victims.map(kill));
      killed += victims.length;
      if (victims.includes('node')) await start('node');
      await Promise.all(victims.filter((victim) => victim !== 'node').map(start));
    }
    await load.stop();
    await until('every acknowledged message in the inbox', () => load.lost().length === 0, 30_000)
      .catch(() => null);
    expect(load.lost()).toEqual([]);
    expect(load.twice).toEqual([]);
    expect(load.acknowledged.size).toBeGreaterThan(kills);

    const calls = readFileSync(join(folder.directory, 'calls.log'), 'utf8').trim().split('\n');
    expect(new Set(calls).size).toBe(calls.length);
    await until(
      'an end of every request', () => load.open().length === 0, 30_000
    ).catch(() => null);
    expect(load.open()).toEqual([]);
    expect(load.count('DONE')).toBeGreaterThan(0);
    expect(load.doneKeys().size).toBeLessThanOrEqual(calls.length);

    await load.end();
    await expectEveryHopOnce(folder, load);
    const verified = await maso(['recorder', 'verify', '--state', folder.state, '--json']);
    expect(verified.status, verified.out).toBe(0);
    expect(verified.out).not.toContain('VERIFY_WRITER_GAP');
    const entries = await folder.entries();
    expect(unnumbered(entries)).toEqual([]);
    expect(await codesWithout(entries)).toContain('VERIFY_WRITER_GAP');
    process.stdout.write(`${killed} kills: ${load.summary()}, ${calls.length} tool calls\n`);
  }, 60_000 + kills * 5_000);

  it('shows a call that a kill interrupted as IN-DOUBT, and never runs it again', async () => {
    const load = await CrashLoad.start(folder, desk, { messages: 0, requests: 0 });
    // Not by the log, which is long after many kills: the call would be over before it was found.
    const before = callsOf(folder);
    const slow = load.request('slow_count');
    await until('the call', () => callsOf(folder) > before, 45_000);
    await new Promise((resolve) => setTimeout(resolve, 300));
    const killedAt = Date.now();
    await kill('payments');
    await start('payments');
    const entry = await until('IN-DOUBT in the log', async () =>
      (await folder.entries()).find(({ kind, at }) => kind === 'tool.in-doubt' && at >= killedAt));
    expect(entry.code).toBe('TOOL_INTERRUPTED');
    expect(await slow).toMatchObject({ status: 'IN-DOUBT' });
    await load.end();
    expect(callsOf(folder)).toBeLessThanOrEqual(before + 1);
  });

  it('finds its ports again, and its sidecars find it, without a new token', async () => {
    const port = running.get('node')?.ready['bus'];
    await kill('node');
    await start('node');
    expect(running.get('node')?.ready['bus']).toBe(port);
    await until('all sidecars', async () => {
      const { body } = await folder.control('GET', '/v1/status');
      return agents.every((agent) => (body['connected'] as readonly string[]).includes(agent));
    });
    for (const agent of agents) {
      const place = { socketPath: folder.socketOf(agent) };
      expect((await exchange(place, '/healthz', null)).status).toBe(200);
    }
  });
});

function pick(random: () => number): Victim {
  const victims: readonly Victim[] = ['node', 'node', ...agents];
  return victims[Math.floor(random() * victims.length)] ?? 'node';
}

function callsOf(folder: MeshFolder): number {
  return readFileSync(join(folder.directory, 'calls.log'), 'utf8').split('\n').length - 1;
}

/** What was acknowledged stands in the log as sent, admitted and received: each exactly once. */
async function expectEveryHopOnce(folder: MeshFolder, load: CrashLoad): Promise<void> {
  const wanted = new Set(load.acknowledged);
  const steps = ['message.outbound', 'message.admitted', 'message.delivered'];
  const wrong = await until('every hop in the log', async () => {
    const seen = new Map<string, number>();
    for (const entry of await folder.entries()) {
      if (entry.message === null || !wanted.has(entry.message)) continue;
      const key = `${entry.kind} ${entry.message}`;
      if (steps.includes(entry.kind)) seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    const keys = [...wanted].flatMap((id) => steps.map((step) => `${step} ${id}`));
    const found = keys.filter((key) => seen.get(key) !== 1).map(
      (key) => `${key} ${seen.get(key) ?? 0}`
    );
    return found.length === 0 ? 'none' : null;
  }, 10_000).catch(() => 'some');
  expect(wrong).toBe('none');
}
