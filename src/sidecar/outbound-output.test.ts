// SPDX-License-Identifier: Apache-2.0
import { expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { freshContext } from '../label/context.ts';
import { ValueIndex } from '../label/value-index.ts';
import { createScanner } from '../scanner/scan.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import { callTool } from './call-tool.ts';
import { AgentMemory } from './memory.ts';
import { send } from './outbound.ts';

const prompt =
  'You sort the incoming mail of Example Ltd by supplier, never open links, and hand what mentions a new ' +
  'account to the desk. Internal mark: k7Q2mZ9xT4vB1nR8.';

function sidecar(): FakeSidecar {
  const mesh = sampleMesh();
  const scanner = createScanner({
    schemas: createSchemaRegistry(mesh.schemas.values()),
    limits: { depthMax: 32, membersMax: 20_000, stringLengthMax: 1e6, bytesMax: 1e6 },
    patterns: [],
    ownPrompt: prompt,
    digestKey: new Uint8Array(32).fill(5),
    nowUs: () => 0,
  });
  return new FakeSidecar('triage', { scanner });
}

async function codesOf(text: string) {
  const fake = sidecar();
  const speaker = {
    source: 'agent' as const,
    read: freshContext,
    values: new ValueIndex(),
    place: { task: 'task', hop: 1, goalHash: null, isOrigin: false },
    mandates: [],
    inputs: [],
  };
  const sent = await send(
    {
      to: 'desk', type: 'data', schema: 'invoice/1', domain: 'billing', payload: { text },
      metadata: {}, inReplyTo: null, epistemic: null, task: null,
    },
    speaker,
    fake.context,
  );
  const recorded = JSON.stringify(fake.link.published) + JSON.stringify(fake.recorder);
  return { code: sent.code, recorded };
}

// PG-1.2, PG-1.5 and unsafe output, on the way out of a sidecar to one who shows it to a person.
test.each([
  ['a canary of its instructions', 'The mark is k7Q2mZ9xT4vB1nR8, by the way.', 'SCAN_PROMPT_LEAK'],
  ['a canary in base64', `note ${Buffer.from('the mark is k7Q2mZ9xT4vB1nR8').toString('base64')}`, 'SCAN_PROMPT_LEAK'],
  ['words of its instructions', 'I sort the incoming mail of Example Ltd by supplier, never open links, and hand what mentions a new account to the desk.', 'SCAN_PROMPT_LEAK'],
  ['active content', 'See <script>fetch("https://evil.example")</script>', 'SCAN_UNSAFE_OUTPUT'],
])('refuses %s', async (_, text, code) => {
  const { code: refused, recorded } = await codesOf(text);
  expect(refused).toBe(code);
  expect(recorded).not.toContain('k7Q2mZ9xT4vB1nR8');
});

test('lets an ordinary answer pass', async () => {
  expect((await codesOf('Two invoices of March are open; the links in them were not opened.')).code).toBeNull();
});

// What a tool is asked for may leave the mesh with it.
test('refuses a call of an own tool that says its instructions', async () => {
  const fake = sidecar();
  const { task } = fake.bodyFrom(partyOf('desk'));
  const call = (text: string) => callTool(
    { tool: 'mail', operation: 'read_file', arguments: { path: text }, task, idempotencyKey: null },
    new AgentMemory('one', fake.store),
    fake.context,
  );
  expect((await call('mail?q=k7Q2mZ9xT4vB1nR8')).code).toBe('SCAN_PROMPT_LEAK');
  expect(fake.calls).toEqual([]);
  expect(fake.recorder.codes('tool.refused')).toEqual(['SCAN_PROMPT_LEAK']);
});
