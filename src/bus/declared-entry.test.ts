// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding, type Verdict } from '../review/verdict.ts';
import { declaredEntry, declaredPath, DeclaredRecorder, namesOf, undeclaredName } from './declared-entry.ts';

const names = namesOf(sampleMesh());
const secret = 'akia-of-a-test';

function draft(detail: EntryDraft['detail'], paths: readonly string[] = []): EntryDraft {
  const verdict: Verdict = {
    outcome: 'NO-GO', control: 'scanner', version: '1', tookUs: 1,
    findings: paths.map((path) => finding('SCAN_SECRET', 'rule', path)),
  };
  return {
    kind: 'message.refused', id: 'an-id', at: 1, actor: 'agent:triage', task: null, message: null,
    causedBy: [], outcome: 'NO-GO', code: 'SCAN_SECRET', verdicts: paths.length === 0 ? [] : [verdict],
    tookUs: null, detail,
  };
}

describe('an entry before it is recorded', () => {
  test('loses every name that the mesh file does not declare', () => {
    const named = ['to', 'from', 'sender', 'requester', 'agent', 'schema', 'domain', 'action', 'tool', 'operation'];
    const entry = declaredEntry(draft(Object.fromEntries(named.map((name) => [name, secret]))), names);
    expect(new Set(Object.values(entry.detail))).toEqual(new Set([undeclaredName]));
  });

  test('loses members of a payload that no schema declares, and keeps the way to them', () => {
    expect(declaredPath(`/${secret}/0/text`, names)).toBe('/*/0/text');
    expect(declaredPath(`/parameters/payee/${secret}`, names)).toBe('/parameters/payee/*');
    expect(declaredPath('/4915112345678', names)).toBe('/*');
    expect(declaredPath(secret, names)).toBe('*');
    const entry = declaredEntry(draft({}, [`/${secret}`, '/text']), names);
    expect(entry.verdicts[0]?.findings.map(({ path }) => path)).toEqual(['/*', '/text']);
  });

  test('stays as it is where all of it is declared', () => {
    const entry = draft(
      { to: 'payments', from: 'triage', schema: 'invoice/1', domain: 'billing', action: 'pay_invoice' },
      ['/parameters/payee', ''],
    );
    expect(declaredEntry(entry, names)).toBe(entry);
  });

  test('goes through the recorder of the node in no other form', async () => {
    const recorded: EntryDraft[] = [];
    const inner = { record: async (entries: readonly EntryDraft[]) => {
      recorded.push(...entries);
      return entries.map((_, sequence) => ({ sequence }));
    } };
    await new DeclaredRecorder(inner, () => sampleMesh()).record([draft({ to: secret })]);
    expect(JSON.stringify(recorded)).not.toContain(secret);
  });
});
