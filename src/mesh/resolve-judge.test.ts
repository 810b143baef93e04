// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { loadFiles, sampleFile, sampleFiles } from '../../test/mesh-files/sample.ts';

const local = 'local: { openai_compatible: { url: "http://127.0.0.1:1/v1" }, model: m, family: a }';

function load(judge: string) {
  const text = `${sampleFiles[sampleFile] ?? ''}  judge: { ${judge} }\n`;
  return loadFiles({ ...sampleFiles, [sampleFile]: text });
}

function codesOf(judge: string): readonly string[] {
  return load(judge).diagnostics.map(({ code }) => code);
}

describe('the section judge', () => {
  it.each([
    ['a model without a provider', 'models: { one: { model: m, family: a } }', 'MESH_JUDGE_PROVIDER'],
    ['a model with two', 'models: { one: { openai_compatible: { url: "https://x.test" }, anthropic: {}, model: m, family: a } }', 'MESH_JUDGE_PROVIDER'],
    ['an endpoint without an address', 'models: { one: { openai_compatible: {}, model: m, family: a } }', 'MESH_JUDGE_PROVIDER'],
    ['an endpoint without TLS', 'models: { one: { openai_compatible: { url: "http://x.test" }, model: m, family: a } }', 'MESH_JUDGE_URL_INSECURE'],
    ['a key in the address', 'models: { one: { anthropic: { url: "https://a:b@x.test" }, model: m, family: a } }', 'MESH_JUDGE_URL_INSECURE'],
    ['two credentials', 'models: { one: { anthropic: {}, model: m, family: a, credential_file: k, credential_env: K } }', 'MESH_JUDGE_CREDENTIAL'],
    ['a model that nobody declared', `models: { ${local} }, subjects: { security: { model: other } }`, 'MESH_JUDGE_MODEL_UNKNOWN'],
    ['a second of the same family', `models: { ${local} }, subjects: { security: { model: local, second: local } }`, 'MESH_JUDGE_SECOND_FAMILY'],
    ['an unknown subject', `models: { ${local} }, subjects: { taste: { model: local } }`, 'MESH_SHAPE'],
  ])('refuses %s', (_what, judge, code) => {
    const { ok } = load(judge);
    expect(ok).toBe(false);
    if (code !== 'MESH_SHAPE') expect(codesOf(judge)).toContain(code);
  });

  it('warns of a judge that may release and is checked by nobody', () => {
    const alone = `models: { ${local} }, subjects: { security: { model: local } }, release: own_subject`;
    expect(load(alone).ok).toBe(true);
    expect(codesOf(alone)).toEqual(['MESH_JUDGE_RELEASE_ALONE']);
  });

  it('lets nothing be released unless it says so, and is absent when it is absent', () => {
    const loaded = load(`models: { ${local} }, subjects: { security: { model: local } }`);
    expect(loaded.ok && loaded.mesh.judge?.release).toBe('never');
    const bare = loadFiles(sampleFiles);
    expect(bare.ok && bare.mesh.judge).toBeNull();
  });
});

describe('the specification of a judge', () => {
  const file = `oisspec_id: fraud-judge
judge_subject: fraud
created_by: risk@example.org
version: "2"
objective: { goal: no stranger is paid, criteria: [ { id: known-payee, text: "Known." } ] }
calibration: { cases: [ { id: stranger, about: pay_invoice, content: { payee: X }, expected: NO-GO } ] }
`;
  const subject = (more = '') => `models: { ${local} }, subjects: { fraud: { model: local, oispec: judges/fraud.yaml${more} } }`;
  const loadSpec = (text: string, more?: string) => {
    const mesh = `${sampleFiles[sampleFile] ?? ''}  judge: { ${subject(more)} }\n`;
    return loadFiles({ ...sampleFiles, [sampleFile]: mesh, '/mesh/judges/fraud.yaml': text });
  };
  const codes = (text: string, more?: string) => loadSpec(text, more).diagnostics.map(({ code }) => code);

  it.each([
    ['another subject', file.replace('judge_subject: fraud', 'judge_subject: intent'), 'MESH_JUDGE_SPEC_SUBJECT'],
    ['a hash that is not its own', `${file}oisspec_hash: ${'A'.repeat(43)}\n`, 'MESH_OISPEC_HASH'],
    ['two cases of one id', file.replace('cases: [ ', 'cases: [ { id: stranger, about: a, content: 1, expected: GO }, '), 'MESH_CRITERION_DOUBLED'],
  ])('is refused with %s', (_what, text, code) => {
    expect(codes(text)).toContain(code);
  });

  it('is refused beside criteria in the mesh file, and without its file', () => {
    expect(codes(file, ', criteria: [ { id: a, text: A. } ]')).toContain('MESH_JUDGE_SPEC_DOUBLE');
    const mesh = `${sampleFiles[sampleFile] ?? ''}  judge: { ${subject()} }\n`;
    expect(loadFiles({ ...sampleFiles, [sampleFile]: mesh }).ok).toBe(false);
  });

  it('is part of the version that an operator signs, and known by its digest', () => {
    const first = loadSpec(file);
    const second = loadSpec(file.replace('Known.', 'Paid before.'));
    if (!first.ok || !second.ok) throw new Error(codes(file).join(' '));
    const [one] = first.mesh.judge?.subjects ?? [];
    const [two] = second.mesh.judge?.subjects ?? [];
    expect(one).toMatchObject({ criteria: [{ id: 'known-payee' }], spec: { version: '2', calibration: { window: 20 } } });
    expect(one?.spec?.digest).not.toBe(two?.spec?.digest);
    expect(first.mesh.digest).not.toBe(second.mesh.digest);
    expect(Object.keys(first.mesh.bundle?.texts ?? {})).toContain('judges/fraud.yaml');
  });
});
