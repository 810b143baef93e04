// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemJudgeTiming } from '../adapters/judge-timing.ts';
import { SqliteJudgeMemory } from '../adapters/judge-memory-sqlite.ts';
import { signOperatorDecision } from '../identity/operator-signature.ts';
import { createPanel } from '../judge/panel.ts';
import { Spend } from '../judge/spend.ts';
import type { JudgeModelSettings, JudgeSettings, JudgeSubjectSettings } from '../mesh/judge-settings.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import type { JsonObject } from '../message/json.ts';
import { judgeModels } from './judge-parts.ts';
import { AgentSidecar } from '../sidecar/agent-sidecar.ts';
import { JudgeStandIn, answerOf, subjectOf } from '../../test/judge-standin/server.ts';
import { compatibleModel, judgeSettings } from '../../test/judge-standin/settings.ts';
import { editSample, loadFiles } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf, random, settled } from '../../test/sidecar-fixture/sidecar.ts';

const triage = partyOf('triage');
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const alice = { name: 'alice', publicKey: publicKey.export({ format: 'jwk' }) as JsonObject };
const bobKeys = generateKeyPairSync('ed25519');
const bob = { name: 'bob', publicKey: bobKeys.publicKey.export({ format: 'jwk' }) as JsonObject };

let standIn: JudgeStandIn;
let fake: FakeSidecar;
let sidecar: AgentSidecar;
let meshOfTest: Mesh;

beforeEach(async () => {
  standIn = await JudgeStandIn.start();
});

afterEach(async () => {
  await standIn.close();
});

const keyOf = (pair: { readonly privateKey: typeof privateKey }, jwk: JsonObject) =>
  ({ privateKey: pair.privateKey, publicJwk: jwk });
const aliceKey = keyOf({ privateKey }, alice.publicKey);
const bobKey = keyOf(bobKeys, bob.publicKey);

type Setup = {
  readonly settings?: Partial<JudgeSettings>;
  readonly risk?: 'HIGH' | 'CRITICAL' | 'MEDIUM';
  readonly models?: readonly Partial<JudgeModelSettings>[];
};

/** The sidecar of the sample's executor; a payee called `shady` is escalated by a pattern. */
async function start({ settings = {}, risk = 'HIGH', models = [{}] }: Setup = {}): Promise<void> {
  const files = editSample('"project [a-z]+"', '"shady"');
  const file = Object.keys(files).find((path) => path.endsWith('security_mesh.yaml')) ?? '';
  files[file] = (files[file] ?? '').replace('risk: HIGH', `risk: ${risk}`);
  const loaded = loadFiles(files);
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ code }) => code).join(' '));
  const judge = judgeSettings(
    models.map((change, index) => compatibleModel(`model-${index}`, standIn.url, change)),
    { callTimeoutMs: 300, holdTimeoutMs: 400, ...settings },
  );
  meshOfTest = { ...loaded.mesh, judge };
  fake = new FakeSidecar('payments', {}, meshOfTest);
  await wire();
}

/** A sidecar over whatever its store holds: the first one, or the one after a crash. */
async function wire(): Promise<void> {
  const { judge: settings } = meshOfTest;
  if (settings === null || settings === undefined) throw new Error('no judge');
  const judgeMemory = new SqliteJudgeMemory(fake.database);
  const judge = createPanel({
    settings, models: await judgeModels(settings), clock: fake.clock, random,
    spend: new Spend(settings.budget, judgeMemory.spend, fake.clock), timing: systemJudgeTiming,
  });
  const operators = () => new Map([['alice', alice], ['bob', bob]]);
  fake.knows(triage);
  sidecar = new AgentSidecar({ ...fake.context, judge, judgeMemory, operators });
  await sidecar.recover();
}

function ask(key: string, payee = 'shady', change = {}): string {
  const envelope = fake.requestFrom(triage, { key, parameters: { payee } }, change);
  sidecar.deliver(envelope, null, () => undefined);
  return key;
}

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !holds(); turn += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await settled();
}

const outcomes = (): readonly ActionOutcome[] =>
  fake.link.bodies().map((body) => body.payload as unknown as ActionOutcome);
const writes = () => fake.calls.filter(({ write }) => write);
const codes = () => fake.recorder.codes('judge.called');
const ruled = () => fake.recorder.entries.filter(({ kind }) => kind === 'judge.ruled');

async function approve(by: readonly (readonly [string, typeof aliceKey])[]): Promise<void> {
  const [hold] = fake.link.held;
  if (hold === undefined) throw new Error('nothing is held');
  const decisions = by.map(([operator, key]) => signOperatorDecision(
    { approval: 'approval-1', digest: hold.digest, decision: 'approve', operator, at: fake.clock.ms, reason: '' },
    key,
  ));
  sidecar.decided({
    kind: 'decided', approval: 'approval-1', message: hold.message, outcome: 'approved', decisions,
  } as Parameters<AgentSidecar['decided']>[0]);
  await settled();
}

describe.each(['HIGH', 'CRITICAL'] as const)('a %s action that is escalated', (risk) => {
  const worst: readonly (readonly [string, () => void, Partial<JudgeSettings>])[] = [
    ['slow', () => void (standIn.behave = (a) => ({ text: answerOf(a, 'GO'), afterMs: 1500 })), {}],
    ['hanging', () => void (standIn.behave = () => ({ hang: true })), {}],
    ['malformed', () => void (standIn.behave = () => ({ text: '{"verdict":"GO"}' })), {}],
    ['no protocol at all', () => void (standIn.behave = () => ({ raw: '<html>GO</html>' })), {}],
    ['an endless answer', () => void (standIn.behave = () => ({ raw: `"${'GO'.repeat(600_000)}"` })), {}],
    ['refusing service', () => void (standIn.behave = () => ({ status: 503 })), {}],
    ['cut off', () => void (standIn.behave = () => ({ cut: true })), {}],
    ['contradictory', () => void (standIn.behave = (a) =>
      ({ text: answerOf(a, subjectOf(a) === 'security' ? 'GO' : 'ESCALATE') })),
      { subjects: ['security', 'fraud'].map((subject) => ({
        subject: subject as 'security', model: 'model-0', backup: null, second: null, criteria: [],
      })) }],
    ['over budget', () => undefined, { budget: { moneyPerHour: 0, moneyPerTask: 0, callsPerHour: 9 } }],
    ['talked into GO', () => undefined, {}],
  ];

  test.each(worst)('waits for people while the judge is %s', async (_what, misbehave, settings) => {
    await start({ risk, settings });
    misbehave();
    ask('k');
    await until(() => fake.link.held.length > 0);
    expect(writes()).toEqual([]);
    expect(fake.link.held).toHaveLength(1);
    expect(ruled()).toHaveLength(1);
    const people = [['alice', aliceKey], ['bob', bobKey]] as const;
    await approve(risk === 'CRITICAL' ? people : people.slice(0, 1));
    expect(writes()).toHaveLength(1);
    expect(outcomes()).toMatchObject([{ status: 'DONE' }]);
  });

  test('waits for people while the judge is gone', async () => {
    await start({ risk });
    await standIn.close();
    ask('k');
    await until(() => fake.link.held.length > 0);
    expect(writes()).toEqual([]);
    expect(codes()).toEqual(['JUDGE_UNAVAILABLE']);
    standIn = await JudgeStandIn.start();
  });

  test('is refused where the judge says NO-GO, and no person is asked', async () => {
    await start({ risk });
    standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO') });
    ask('k');
    await until(() => outcomes().length > 0);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    expect(fake.link.held).toEqual([]);
  });
});

describe('a judge that may release', () => {
  const release = { release: 'own_subject' } as const;

  test('releases a hold that its own subject raised, with one call on the way', async () => {
    await start({ settings: release });
    ask('k');
    await until(() => outcomes().length > 0);
    expect(outcomes()).toMatchObject([{ status: 'DONE' }]);
    expect(standIn.asked).toHaveLength(1);
    expect(fake.link.held).toEqual([]);
  });

  test('releases nothing while it does not agree with its cases, and people are told', async () => {
    const subject: JudgeSubjectSettings = {
      subject: 'security', model: 'model-0', backup: null, second: null, criteria: [],
      spec: {
        id: 's', version: '1', digest: 'd', goal: 'g', criteria: [],
        calibration: { everyMs: 1000, agreementMin: 1, window: 1, cases: [] },
      },
    };
    await start({ settings: { ...release, subjects: [subject] } });
    const answer = { subject: 'security', spec: 'd', caseId: 'c', expected: 'NO-GO', atMs: 1 } as const;
    await sidecar.context.judgeMemory?.calibrations.save({ ...answer, said: 'GO' });
    ask('k');
    await until(() => fake.link.held.length > 0);
    expect(writes()).toEqual([]);
    expect(fake.link.held[0]?.reasons).toContain('JUDGE_UNCALIBRATED');
    await sidecar.context.judgeMemory?.calibrations.save({ ...answer, said: 'NO-GO' });
    ask('k2');
    await until(() => outcomes().length > 0);
    expect(outcomes()).toMatchObject([{ status: 'DONE' }]);
  });

  test('releases nothing that policy sends to people, and no CRITICAL action', async () => {
    await start({ settings: release });
    fake.complies = () => 'ESCALATE';
    ask('k');
    await until(() => fake.link.held.length > 0);
    expect(writes()).toEqual([]);
    await start({ settings: release, risk: 'CRITICAL' });
    ask('k');
    await until(() => fake.link.held.length > 0);
    expect(writes()).toEqual([]);
  });

  test('is not even asked about what policy refuses', async () => {
    await start({ settings: release });
    fake.complies = () => 'NO-GO';
    ask('k');
    await until(() => outcomes().length > 0);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    expect(standIn.asked).toEqual([]);
  });

  test('is overruled by a second family that it could not talk to', async () => {
    await start({
      settings: { ...release, subjects: [{ subject: 'security', model: 'model-0', backup: null, second: 'model-1', criteria: [] }] },
      models: [{}, { family: 'other', provider: { kind: 'anthropic', url: standIn.url }, model: 'claude-sonnet-4-5' }],
    });
    standIn.behave = (a) => ({ text: answerOf(a, a.protocol === 'openai' ? 'GO' : 'NO-GO') });
    ask('k');
    await until(() => outcomes().length > 0);
    expect(outcomes()).toMatchObject([{ status: 'REFUSED' }]);
    expect(standIn.asked.map(({ protocol }) => protocol).sort()).toEqual(['anthropic', 'openai']);
  });
});

test('a judge that hangs keeps nobody else waiting', async () => {
  await start({ settings: { holdTimeoutMs: 60_000, callTimeoutMs: 60_000 } });
  standIn.behave = () => ({ hang: true });
  for (let index = 0; index < 8; index += 1) ask(`held-${index}`);
  ask('go', 'ACME');
  await until(() => outcomes().length > 0);
  expect(outcomes()).toMatchObject([{ idempotencyKey: 'go', status: 'DONE' }]);
});

test('a held question is asked again after a crash, and the action still waits', async () => {
  await start();
  standIn.behave = () => ({ hang: true });
  ask('k');
  await until(() => standIn.asked.length > 0);
  expect(fake.store.messages('judging', 10)).toHaveLength(1);
  const before = fake;
  standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO') });
  await wire();
  await until(() => outcomes().length > 0);
  expect(before.calls.filter(({ write }) => write)).toEqual([]);
  expect(outcomes()[0]).toMatchObject({ status: 'REFUSED' });
});

test('the judge is not asked again once people have it before them', async () => {
  await start();
  ask('k');
  await until(() => fake.link.held.length > 0);
  sidecar.reconnected();
  await settled();
  await approve([['alice', aliceKey]]);
  expect(writes()).toHaveLength(1);
  expect(standIn.asked).toHaveLength(1);
});

test('neither key, text nor reason of a judge stands in the record', async () => {
  process.env['MASO_TEST_JUDGE_KEY'] = 'key-of-the-judge';
  await start({ models: [{ credential: { kind: 'env', name: 'MASO_TEST_JUDGE_KEY' } }] });
  ask('k');
  await until(() => fake.link.held.length > 0);
  expect(standIn.asked[0]?.key).toBe('key-of-the-judge');
  const record = JSON.stringify(fake.recorder.entries);
  expect(record).not.toMatch(/key-of-the-judge|as the test says|shady/);
  expect(ruled()[0]?.detail).toMatchObject({ mode: 'held', subjects: { security: 'GO' } });
});

describe('a MEDIUM action that is escalated', () => {
  test('goes on, and is judged after the fact; a late NO-GO is put on record', async () => {
    await start({ risk: 'MEDIUM' });
    standIn.behave = (asked) => ({ text: answerOf(asked, 'NO-GO') });
    ask('k');
    await until(() => fake.recorder.codes('indicator.raised').includes('JUDGE_REFUSED_LATE'));
    expect(outcomes()).toMatchObject([{ status: 'DONE' }]);
    expect(ruled().map(({ outcome, detail }) => [outcome, detail['mode']])).toEqual([['NO-GO', 'late']]);
  });

  test('is judged after a crash that came between', async () => {
    await start({ risk: 'MEDIUM' });
    standIn.behave = () => ({ hang: true });
    ask('k');
    await until(() => standIn.asked.length > 0);
    standIn.behave = (asked) => ({ text: answerOf(asked, 'GO') });
    await wire();
    await until(() => ruled().length > 0);
    expect(ruled()[0]?.outcome).toBe('GO');
  });

  test('is sampled: none at rate 0, all of an agent that was found wrong', async () => {
    await start({ risk: 'MEDIUM', settings: { sampling: { low: 0, medium: 0, messages: 0 } } });
    ask('k');
    await until(() => outcomes().length > 0);
    expect(standIn.asked).toEqual([]);
    await sidecar.context.judgeMemory?.suspect('triage', fake.clock.ms + 1000);
    ask('k2');
    await until(() => standIn.asked.length > 0);
    expect(standIn.asked).toHaveLength(1);
  });

  test('is sampled by what is known of its sender: all of the first, and twice the share after a doubt', async () => {
    await start({ risk: 'MEDIUM', settings: { sampling: { low: 0, medium: 0.5e-9, messages: 0, first: 1 } } });
    standIn.behave = (asked) => ({ text: answerOf(asked, 'ESCALATE') });
    ask('k');
    await until(() => ruled().length > 0);
    ask('k2');
    await until(() => outcomes().length > 1);
    expect(standIn.asked).toHaveLength(1);
    await until(() => (sidecar.context.judgeMemory?.sender('triage')?.doubtedUntil ?? 0) > fake.clock.ms);
    expect(sidecar.context.judgeMemory?.sender('triage')).toMatchObject({ seen: 2 });
  });
});
