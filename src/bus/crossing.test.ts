// SPDX-License-Identifier: Apache-2.0
// A sidecar that was taken over leaves out its own look; the bus makes one of its own (DP-2.1).
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { admissionFor } from '../../test/sidecar-fixture/admission.ts';
import { FakeRecorder, FakeSidecar, partyOf, startMs } from '../../test/sidecar-fixture/sidecar.ts';
import { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import { SqliteMessageQueue } from '../adapters/queue-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import { chanceOf, evasions, plantedItem, plantedText, type Chance } from '../scanner/planted-fixture.ts';
import type { Protection } from '../protection/protection.ts';
import { finding, type Verdict } from '../review/verdict.ts';
import { admit, type Admission, type AdmitContext } from './admit.ts';
import { ScanShare } from './crossing.ts';

const card = '4111 1111 1111 1111';
const desk = partyOf('desk');
const task = '01JD0000000000000000000000';
let recorder: FakeRecorder;
let sidecar: FakeSidecar;
let context: AdmitContext;

type Change = readonly [string, string];
/** From `desk`, in zone core, to `triage`, outside. */
const redacting: Change = ['  mode: enforce', '  scanner: { data: { financial: { internal: redact } } }\n  mode: enforce'];
const blocking: Change = ['  mode: enforce', '  scanner: { data: { financial: { internal: block } } }\n  mode: enforce'];
const ever = '{ public: block, internal: block }';
const blockingAll: Change = ['  mode: enforce', `  scanner:
    data: { contact: ${ever}, financial: ${ever}, national_id: ${ever}, health: ${ever} }
  mode: enforce`];
const inOneZone: Change = ['zone: outside', 'zone: core'];

function meshWith(...changes: readonly Change[]): void {
  const mesh = sampleMesh(changes);
  const queue = new SqliteMessageQueue(new BatchedDatabase(':memory:'), startMs - 1_000_000, systemRandom);
  context = admissionFor(mesh, { clock: { nowMs: () => startMs }, queue, recorder });
}

beforeEach(() => {
  recorder = new FakeRecorder();
  sidecar = new FakeSidecar('triage');
  meshWith(redacting);
});

/** What an honest sidecar says that it did. */
const account = (change: Partial<Verdict> = {}): Verdict => ({
  outcome: 'GO', control: 'scanner', version: context.scanner().version, tookUs: 1, findings: [], ...change,
});

function send(
  payload: JsonValue,
  said: readonly Verdict[] = [account()],
  inTask = task,
  beside: Partial<Pick<EnvelopeBody, 'metadata' | 'epistemic'>> = {},
): Promise<Admission> {
  const body = sidecar.bodyFrom(desk, { type: 'data', schema: 'invoice/1', payload, task: inTask, ...beside });
  return admit(desk.peer, {
    envelope: signEnvelope(body, desk.credential), resend: false, policyVersion: 1,
    entry: {
      kind: 'message.outbound', id: `${body.id}.outbound`, at: startMs, actor: 'agent:desk', task: body.task,
      message: body.id, causedBy: [], outcome: 'GO', code: null, verdicts: said, tookUs: null, detail: {},
    },
  }, context);
}

const codeOf = (admission: Admission): string => (admission.answer === 'refused' ? admission.code : 'accepted');
const indicators = () => recorder.entries.filter(({ kind }) => kind === 'indicator.raised')
  .map(({ code, detail }) => [code, detail['indicator'], detail['agent']]);

describe('a sidecar that skips its own look', () => {
  test('sends data that the policy redacts: refused, recorded, and its agent is isolated', async () => {
    expect(codeOf(await send({ text: `pay with ${card}` }))).toBe('BUS_DATA_UNMASKED');
    expect(indicators()).toEqual([['BUS_DATA_UNMASKED', 'COMPROMISE', 'desk']]);
    const [refused] = recorder.entries.filter(({ kind }) => kind === 'message.refused');
    expect(refused?.verdicts.map(({ control, outcome }) => [control, outcome])).toContainEqual(['scanner', 'NO-GO']);
    expect(JSON.stringify(recorder.entries)).not.toContain('4111');
  });

  test('does so with no account of a look at all', async () => {
    expect(codeOf(await send({ text: card }, []))).toBe('BUS_DATA_UNMASKED');
    expect(indicators()).toEqual([['BUS_DATA_UNMASKED', 'COMPROMISE', 'desk']]);
  });

  test('hides it in an encoding', async () => {
    expect(codeOf(await send({ text: `see ${Buffer.from(`card ${card}`).toString('base64')}` }))).toBe('BUS_DATA_UNMASKED');
  });

  test('sends data that is blocked, or a secret', async () => {
    meshWith(blocking);
    expect(codeOf(await send({ text: card }))).toBe('SCAN_PERSONAL_DATA');
    expect(codeOf(await send({ text: 'key AKIAQYLPMN5HHHFPZAM2' }))).toBe('SCAN_SECRET');
    expect(indicators()).toEqual([['SCAN_PERSONAL_DATA', 'COMPROMISE', 'desk'], ['SCAN_SECRET', 'COMPROMISE', 'desk']]);
  });

  test('seals it: the bus looks at what it opened', async () => {
    meshWith(redacting, ['tier: PLAINTEXT', 'tier: RETRIEVAL']);
    const open: Protection['open'] = (body) => ({ ok: true, body: { ...body, payload: { text: `pay with ${card}` } } });
    context = { ...context, protection: { refusal: () => null, open } };
    expect(codeOf(await send({ text: 'ciphertext' }))).toBe('BUS_DATA_UNMASKED');
  });

  test.each([
    ['metadata', (text: string) => ({ metadata: { note: text } })],
    ['what it assumes', (text: string) => ({ epistemic: { confidence: 0.5, assumptions: [text], unknowns: [] } })],
    ['what it does not know', (text: string) => ({ epistemic: { confidence: null, assumptions: [], unknowns: [text] } })],
  ])('writes it beside the payload: as %s', async (_, beside) => {
    expect(codeOf(await send({ text: 'hello' }, [account()], task, beside('nothing of note')))).toBe('accepted');
    expect(codeOf(await send({ text: 'hello' }, [account()], task, beside(card)))).toBe('BUS_DATA_UNMASKED');
    expect(codeOf(await send({ text: 'hello' }, [account()], task, beside('key AKIAQYLPMN5HHHFPZAM2')))).toBe('SCAN_SECRET');
    expect(indicators()).toEqual([['BUS_DATA_UNMASKED', 'COMPROMISE', 'desk'], ['SCAN_SECRET', 'COMPROMISE', 'desk']]);
  });

  test('labels it as it likes: what the domain is classified as decides', async () => {
    const body = sidecar.bodyFrom(desk, {
      type: 'data', schema: 'invoice/1', payload: { text: card },
      label: { classification: 'public', integrity: 'untrusted', origins: [] },
    });
    const entry = {
      kind: 'message.outbound' as const, id: `${body.id}.outbound`, at: startMs, actor: 'agent:desk', task: body.task,
      message: body.id, causedBy: [], outcome: 'GO' as const, code: null, verdicts: [account()], tookUs: null, detail: {},
    };
    const envelope = signEnvelope(body, desk.credential);
    expect(codeOf(await admit(desk.peer, { envelope, entry, resend: false, policyVersion: 1 }, context))).toBe('BUS_DATA_UNMASKED');
  });

  test('cuts it in two: refused, and no sign, since an honest one may have been started anew in between', async () => {
    meshWith(blocking);
    expect(codeOf(await send({ text: 'the card begins with 4111 1111' }))).toBe('accepted');
    expect(codeOf(await send({ text: '1111 1111 is its end' }))).toBe('SCAN_PERSONAL_DATA');
    expect(indicators()).toEqual([]);
  });

  test('writes texts that cost the node its time: its messages wait, and nobody else\'s', async () => {
    const scanShare = new ScanShare();
    context = { ...context, scanShare };
    scanShare.charge('desk', 1_000_000, startMs);
    expect(codeOf(await send({ text: 'hello' }))).toBe('BUS_RATE_LIMITED');
    expect([scanShare.allows('triage', startMs), scanShare.allows('desk', startMs), scanShare.allows('desk', startMs + 1)])
      .toEqual([true, false, true]);
    expect(indicators()).toEqual([]);
  });
});

test('a machine that stood still during a look keeps its sender waiting for seconds, not for minutes', () => {
  const scanShare = new ScanShare();
  scanShare.charge('desk', 60_000_000, startMs);
  expect([scanShare.allows('desk', startMs), scanShare.allows('desk', startMs + 4_001)]).toEqual([false, true]);
});

test('a second look, at what was refused, is counted against the sender like the first', async () => {
  const scanner = context.scanner();
  let nowUs = 0;
  const slow = { ...scanner, scan: (input: Parameters<typeof scanner.scan>[0]) => {
    nowUs += 600_000;
    return scanner.scan(input);
  } };
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => nowUs / 1000);
  context = { ...context, scanner: () => slow };
  expect(codeOf(await send({ text: card }))).toBe('BUS_DATA_UNMASKED');
  clock.mockRestore();
  expect(context.scanShare.allows('desk', startMs)).toBe(false);
});

describe('what no sidecar looked at', () => {
  const passed = async (kinds: (chance: Chance, index: number) => readonly string[], count: number): Promise<number> => {
    meshWith(blockingAll);
    const chance = chanceOf(20_261_122);
    let accepted = 0;
    for (let index = 0; index < count; index += 1) {
      const inTask = `01JD${String(index).padStart(22, '0')}`;
      const codes = [];
      for (const text of kinds(chance, index)) codes.push(codeOf(await send({ text }, [], inTask)));
      if (codes.every((code) => code === 'accepted')) accepted += 1;
    }
    return accepted;
  };

  test('DP-T2.1: of 50 messages with personal data the bus lets at most two pass', async () => {
    expect(await passed((chance, index) => [plantedText(chance, plantedItem(chance, index))], 50)).toBeLessThanOrEqual(2);
  });

  test('DP-T2.2: encoded, with other characters, or split over messages, fewer than one in ten get through', async () => {
    const count = 10 * evasions.length;
    const hidden = (chance: Chance, index: number): readonly string[] => {
      const item = plantedItem(chance, index);
      return evasions[index % evasions.length]?.messages(plantedText(chance, item), item) ?? [];
    };
    expect(await passed(hidden, count)).toBeLessThan(count / 10);
  });
});

describe('an honest sidecar', () => {
  test('that rewrote what was to be rewritten is believed, whatever its members are called', async () => {
    const { value } = context.scanner().mask({ text: `pay with ${card}`, diagnosis: 'none' }, 'internal');
    expect(codeOf(await send({ text: (value as { text: string }).text }))).toBe('accepted');
    expect(indicators()).toEqual([]);
  });

  test.each<[string, Partial<Verdict>]>([
    ['with other rules', { version: 'rules-3.other' }],
    ['whose work was spent', { outcome: 'ESCALATE', findings: [finding('SCAN_BUDGET', 'budget/text')] }],
  ])('%s is refused, and not isolated', async (_, change) => {
    expect(codeOf(await send({ text: card }, [account(change)]))).toBe('BUS_DATA_UNMASKED');
    expect(indicators()).toEqual([['BUS_DATA_UNMASKED', 'DATA', 'desk']]);
  });
});

describe('the mesh file says what is looked at', () => {
  const passes = async (...changes: readonly Change[]): Promise<string> => {
    meshWith(...changes);
    return codeOf(await send({ text: card }));
  };

  test('between two agents of one zone nothing is, unless it asks for all', async () => {
    expect(await passes(redacting, inOneZone)).toBe('accepted');
    expect(await passes([redacting[0], redacting[1].replace('{ data', '{ at_bus: all, data')], inOneZone)).toBe('BUS_DATA_UNMASKED');
    expect(await passes([redacting[0], redacting[1].replace('{ data', '{ at_bus: off, data')])).toBe('accepted');
  });

  test('in a trial it is on record, and goes on', async () => {
    expect(await passes([redacting[0], redacting[1].replace('enforce', 'observe')])).toBe('accepted');
    const [admitted] = recorder.entries.filter(({ kind }) => kind === 'message.admitted');
    expect(admitted?.verdicts.map(({ control, outcome }) => [control, outcome])).toContainEqual(['scanner', 'ESCALATE']);
    expect(indicators()).toEqual([]);
    context.scanShare.charge('desk', 1_000_000, startMs);
    expect(codeOf(await send({ text: 'hello' }))).toBe('accepted');
  });
});
