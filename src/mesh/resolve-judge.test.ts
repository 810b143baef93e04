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
