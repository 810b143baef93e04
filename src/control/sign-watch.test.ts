// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { FakeRecorder } from '../../test/sidecar-fixture/sidecar.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { SignWatch } from './sign-watch.ts';

const entry = (actor: string, detail: EntryDraft['detail'], kind: EntryDraft['kind'] = 'indicator.raised'): EntryDraft => ({
  kind, id: 'sign', at: 1, actor, task: null, message: null, causedBy: [], outcome: null, code: null,
  verdicts: [], tookUs: null, detail,
});
const compromise = { indicator: 'COMPROMISE' };

describe('a recorded sign of compromise', () => {
  test.each<[string, EntryDraft, readonly string[]]>([
    ['of an agent, by its own sidecar', entry('sidecar:triage', compromise), ['triage']],
    ['of an agent, by itself', entry('agent:triage', compromise), ['triage']],
    ['that a sidecar says of another agent', entry('sidecar:triage', { ...compromise, agent: 'payments' }), ['triage']],
    ['that the node says of an agent', entry('node', { ...compromise, agent: 'payments' }), ['payments']],
    ['of nobody', entry('node', compromise), []],
    ['that is another indicator', entry('agent:triage', { indicator: 'TOOL' }), []],
    ['that is none', entry('agent:triage', compromise, 'message.refused'), []],
  ])('%s', async (_what, given, expected) => {
    const found: string[] = [];
    await new SignWatch(new FakeRecorder(), (_id, agent) => void found.push(agent)).record([given]);
    expect(found).toEqual(expected);
  });
});
