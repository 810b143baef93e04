// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { atlasTechniques, attackTagsOf, owaspRisks } from '../src/exporter/attack-tags.ts';
import { codeTables } from '../src/process/codes.ts';

/**
 * What an agent is refused for although nobody need have attacked: late messages, questions that
 * have no answer yet, faults of a policy or a tool. Everything else that refuses an agent is tagged.
 */
const noAttack = new Set([
  'BUS_EXPIRED', 'CONTROL_SPAWN_NOT_APPROVED', 'CONTROL_REVOCATION_FINAL', 'CONTROL_REVOCATION_UNKNOWN', 'POLICY_CEDAR_ERROR',
  'CONSOLE_PASSKEY_WAITS', 'CONSOLE_UNKNOWN', 'KNOWLEDGE_DOCUMENT_TWICE', 'MESH_CHANGE_NOTHING', 'POLICY_CEDAR_VALUE', 'POLICY_TEST_FAILED', 'POLICY_TEST_NONE', 'RECORDER_TRACE_AMBIGUOUS',
  'RECORDER_TRACE_UNKNOWN', 'REVIEW_MISSING', 'SIDECAR_EXPIRED', 'TOOL_ANSWERED_ERROR',
  'VERIFY_FORMAT_OLD', 'VERIFY_SOURCE_UNREADABLE',
]);
const refusals = new Set(['REFUSED', 'INVALID', 'RATE_LIMITED', 'SESSION_ENDED']);
const codes = Object.entries(codeTables).flatMap(([folder, table]) =>
  Object.entries(table).map(([code, { agentSees }]) => ({ folder, code, agentSees })),
);

describe('attack tags', () => {
  test('every code of the tables is tagged, or said to be no sign of an attack', () => {
    const unknown = codes.filter(({ code }) => attackTagsOf(code) === undefined);
    expect(unknown.map(({ code }) => code)).toEqual([]);
  });

  test('every refusal of an agent has a tag, but for those listed here', () => {
    const bare = codes.filter(({ code, agentSees, folder }) =>
      refusals.has(agentSees) && folder !== 'process' && !noAttack.has(code) &&
      attackTagsOf(code) === null);
    expect(bare.map(({ code }) => code)).toEqual([]);
  });

  test('nothing is listed as no attack that is tagged or gone', () => {
    const known = new Set(codes.map(({ code }) => code));
    const stale = [...noAttack].filter((code) => !known.has(code) || attackTagsOf(code) !== null);
    expect(stale).toEqual([]);
  });

  test('every tag names something: a technique or a risk of the lists', () => {
    const empty = codes.filter(({ code }) => {
      const tags = attackTagsOf(code);
      return tags !== null && tags !== undefined && tags.atlas.length + tags.owasp.length === 0;
    });
    expect(empty).toEqual([]);
    for (const id of Object.keys(atlasTechniques)) expect(id).toMatch(/^AML\.T\d{4}$/);
    for (const id of Object.keys(owaspRisks)) expect(id).toMatch(/^(LLM|ASI)\d\d:202[56]$/);
  });
});
