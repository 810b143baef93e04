// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { Label } from '../message/envelope.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import { callTool } from './call-tool.ts';
import { AgentMemory, readingOf } from './memory.ts';

const untrusted: Label = {
  classification: 'internal',
  integrity: 'untrusted',
  origins: ['tool:mail'],
};

/** The sample mesh, whose mail tool sends its `path` out of the system. */
function leavingMesh(): Mesh {
  return sampleMesh([[
    'read_file: { write: false }',
    'read_file: { write: false, sensitive: { path: { from: [prompt], endorsable: true } } }',
  ]]);
}

async function reader(prompt: string, mesh = leavingMesh()) {
  const fake = new FakeSidecar('triage', {}, mesh);
  fake.ran = () => ({
    label: untrusted,
    result: { id: '7', name: 'x' },
    sourceOf: (pointer) => (pointer === '/id' ? 'mail.read_file.id' : null),
    derived: [{ value: '"bob@example.com"', source: 'mail.read_file.shared.@key' }],
  });
  const memory = new AgentMemory('one', fake.store);
  const body = fake.bodyFrom(partyOf('desk'), {
    payload: { text: prompt },
    provenance: { source: 'user', isolation: 'uid' },
    label: { classification: 'internal', integrity: 'trusted', origins: ['prompt'] },
  });
  await memory.absorb([readingOf(body, ['text'])], []);
  const read = (args: JsonObject) => callTool(
    {
      tool: 'mail',
      operation: 'read_file',
      arguments: args,
      task: body.task,
      idempotencyKey: null,
    },
    memory,
    fake.context,
  );
  return { fake, memory, read };
}

describe('a read that leaves the system', () => {
  it.each<[string, JsonObject]>([
    ['an address nobody said', { path: 'www.evil.example' }],
    ['a said address with more on it', { path: 'www.example.com/?q=secret' }],
    ['an address in a list', { path: ['www.example.com', 'www.evil.example'] }],
  ])('is refused with %s, and asks nobody', async (_, args) => {
    const { fake, read } = await reader('Read www.example.com.');
    const answer = await read(args);
    expect(answer.code).toBe('POLICY_SOURCE_UNTRUSTED');
    expect(fake.calls).toEqual([]);
    expect(fake.recorder.codes('tool.refused')).toEqual(['POLICY_SOURCE_UNTRUSTED']);
  });

  it('goes on with an address that the person said', async () => {
    const { fake, read } = await reader('Read www.example.com.');
    expect((await read({ path: 'www.example.com' })).code).toBeNull();
    expect(fake.calls).toHaveLength(1);
  });
});

describe('a read', () => {
  const keeping = (...keep: readonly string[]): Mesh => ({
    ...sampleMesh(),
    recorder: {
      witnesses: [], witnessAgeMaxMs: 1, retentionDays: { LOW: 1, MEDIUM: 1, HIGH: 1, CRITICAL: 1 },
      forensic: { custodians: [], threshold: 1, epochMs: 1, keep: new Set(keep) as ReadonlySet<'LOW'> },
    },
  });

  it('is kept for custodians before the agent has it, or the agent does not get it', async () => {
    const { fake, memory, read } = await reader('Read it.', keeping('LOW'));
    fake.link.keepAnswer = () => 'RECORDER_PAYLOAD_UNAVAILABLE';
    expect(await read({ path: 'x' })).toMatchObject({ code: 'SIDECAR_READ_NOT_KEPT', result: null });
    expect(memory.values.sourcesFor('7')['']).toBeUndefined();
    fake.link.keepAnswer = () => null;
    const answer = await read({ path: 'x' });
    expect(answer.result).toEqual({ id: '7', name: 'x' });
    expect(fake.link.kept[1]).toMatchObject({
      call: answer.id, tool: 'mail', operation: 'read_file',
      payload: { arguments: { path: 'x' }, result: { id: '7', name: 'x' } },
    });
  });

  it('is told nobody where reads are not kept', async () => {
    for (const mesh of [sampleMesh(), keeping('HIGH', 'CRITICAL')]) {
      const { fake, read } = await reader('Read it.', mesh);
      expect((await read({ path: 'x' })).code).toBeNull();
      expect(fake.link.kept).toEqual([]);
    }
  });

  it('takes what the controls said of it along to the gate, which records it', async () => {
    const { fake, read } = await reader('Read it.', sampleMesh());
    await read({ path: 'x' });
    const controls = fake.calls[0]?.verdicts?.map(({ control }) => control);
    expect(controls).toEqual(expect.arrayContaining(['policy-compliance', 'scanner']));
  });
});

describe('what a read was asked for', () => {
  const plain = sampleMesh();

  it.each<[string, JsonObject]>([
    ['no argument', {}],
    ['an argument of the agent', { path: 'another file' }],
    ['a single word of the prompt', { path: 'meeting' }],
    ['one argument of the agent among others', { path: 'meeting minutes', also: 'other things' }],
    ['a list', { path: ['meeting minutes'] }],
  ])('is not known from %s', async (_, args) => {
    const { memory, read } = await reader('Find the meeting minutes, please.', plain);
    expect((await read(args)).code).toBeNull();
    expect(memory.values.sourcesFor('7')['']).toEqual(['mail.read_file.id']);
  });

  it("is known from the prompt's own words, for whole values and for derived ones", async () => {
    const { memory, read } = await reader('Find the meeting minutes, please.', plain);
    await read({ path: 'meeting minutes', also: null });
    const sources = (value: string) => memory.values.sourcesFor(value)[''];
    expect(sources('7')).toEqual(['asked.mail.read_file.id', 'mail.read_file.id']);
    expect(sources('bob@example.com')).toContain('asked.mail.read_file.shared.@key');
  });
});

it('takes nothing out of a text that no person wrote', () => {
  const fake = new FakeSidecar('triage');
  const body = fake.bodyFrom(partyOf('desk'), { payload: { text: 'Pay bob@example.com' } });
  expect(readingOf(body, ['text']).derived).toEqual([]);
});
