// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles } from '../../test/mesh-files/sample.ts';

const judge = (family: string, second = '') => `  judge:
    models:
      one: { openai_compatible: { url: "http://127.0.0.1:1/v1" }, model: m, family: ${family} }
      other: { openai_compatible: { url: "http://127.0.0.1:1/v1" }, model: m, family: other }
    subjects: { fraud: { model: one${second} } }
`;

function load(families: { readonly [agent: string]: string }, more = '', edit = (text: string) => text) {
  const text = edit(Object.entries(families).reduce(
    (all, [agent, family]) => all.replace(`    ${agent}: { role:`, `    ${agent}: { model_family: ${family}, role:`),
    sampleFiles[sampleFile] ?? '',
  ));
  return loadFiles({ ...sampleFiles, [sampleFile]: `${text}${more}` });
}

const codes = (...given: Parameters<typeof load>): readonly string[] => load(...given).diagnostics.map(({ code }) => code);

describe('models that lead to one decision', () => {
  it('of one family are warned of, and refused above a bound', () => {
    expect(codes({ desk: 'glm', triage: 'glm' })).toEqual(['MESH_FAMILY_ALONE']);
    expect(load({ desk: 'glm', triage: 'glm' }).ok).toBe(true);
    const strict = load({ desk: 'glm', triage: 'glm' }, '  epistemic: { family_share_max: 0.6 }\n');
    expect(strict.ok).toBe(false);
    expect(strict.diagnostics.map(({ code }) => code)).toEqual(['MESH_FAMILY_SHARE']);
  });

  it('of two families are not, and of what nobody declared nothing is known', () => {
    expect(codes({ desk: 'glm', triage: 'qwen' })).toEqual([]);
    expect(codes({ desk: 'glm', triage: 'qwen' }, '  epistemic: { family_share_max: 0.5 }\n')).toEqual([]);
    expect(codes({ triage: 'glm' })).toEqual([]);
  });

  it('are judged by another family, or by a second of another', () => {
    const alike = { desk: 'glm', triage: 'glm' };
    expect(codes(alike, judge('glm'))).toContain('MESH_JUDGE_FAMILY');
    expect(codes(alike, judge('glm', ', second: other'))).not.toContain('MESH_JUDGE_FAMILY');
    expect(codes(alike, judge('claude'))).not.toContain('MESH_JUDGE_FAMILY');
    expect(codes({ desk: 'glm', triage: 'qwen' }, judge('glm'))).not.toContain('MESH_JUDGE_FAMILY');
  });

  it('are challenged by another family', () => {
    const challenged = (text: string) => text.replace('      reversibility: irreversible\n', '      reversibility: irreversible\n      assurance: { challenged_by: [desk] }\n');
    expect(codes({ desk: 'glm', triage: 'glm' }, '', challenged)).toContain('MESH_CHALLENGER_FAMILY');
    expect(codes({ desk: 'qwen', triage: 'glm' }, '', challenged)).not.toContain('MESH_CHALLENGER_FAMILY');
    expect(codes({}, '', challenged)).not.toContain('MESH_CHALLENGER_FAMILY');
  });
});
