// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { loadFiles, sampleFile, sampleFiles, sampleText } from '../../test/mesh-files/sample.ts';

const source = { domain: 'billing', readers: ['triage'], origin: 'the handbook' };
const memory = { domain: 'billing', agents: ['triage'] };

function load(sections: object) {
  const text = `${sampleText}\n${Object.entries(sections)
    .map(([name, value]) => `  ${name}: ${JSON.stringify(value)}\n`).join('')}`;
  return loadFiles({ ...sampleFiles, [sampleFile]: text });
}
const codesOf = (sections: object) =>
  load(sections).diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);

describe('knowledge and memory in the mesh file', () => {
  test.each([
    ['an agent that is not there', { readers: ['nobody'] }, { agents: ['nobody'] }, 'MESH_AGENT_UNKNOWN'],
    ['a domain that is not there', { domain: 'nowhere' }, { domain: 'nowhere' }, 'MESH_DOMAIN_UNKNOWN'],
    ['an executor', { readers: ['payments'] }, { agents: ['payments'] }, 'MESH_KNOWLEDGE_EXECUTOR'],
    ['a key that it does not know', { reader: [] }, { agent: [] }, 'MESH_KEY_UNKNOWN'],
    ['nobody', { readers: [] }, { agents: [] }, 'MESH_VALUE_INVALID'],
  ])('are refused with %s', (_, ofSource, ofMemory, code) => {
    expect(codesOf({ knowledge: { guide: { ...source, ...ofSource } } })).toEqual([code]);
    expect(codesOf({ memory: { ...memory, ...ofMemory } })).toEqual([code]);
  });

  test('are refused for a role that the domain does not allow', () => {
    const loaded = loadFiles({
      ...sampleFiles,
      [sampleFile]: `${sampleText.replace('[ORCHESTRATOR, RETRIEVER, EXECUTOR]', '[ORCHESTRATOR, EXECUTOR]')}
  memory: ${JSON.stringify(memory)}\n`,
    });
    expect(loaded.diagnostics.map(({ code }) => code)).toContain('MESH_KNOWLEDGE_ROLE');
  });

  test('are refused where a reader is not cleared for the source', () => {
    expect(codesOf({ knowledge: { guide: { ...source, classification: 'restricted' } } }))
      .toEqual(['MESH_KNOWLEDGE_CLEARANCE']);
  });

  test('are refused where one who sees the values of tokens is not cleared for their domain', () => {
    const tokens = JSON.stringify({ domain: 'billing', members: ['patient'], sees: ['desk'] });
    const found = (classification: string) => loadFiles({
      ...sampleFiles,
      [sampleFile]: `${sampleText.replace('tier: PLAINTEXT,', `tier: PLAINTEXT, classification: ${classification},`)}
  tokens: ${tokens}\n`,
    }).diagnostics.filter(({ code }) => code === 'MESH_KNOWLEDGE_CLEARANCE');
    expect(found('confidential')).toEqual([]);
    expect(found('restricted')).toHaveLength(1);
  });

  test('say what is meant where they leave it out', () => {
    const loaded = load({ knowledge: { guide: source }, memory });
    expect(loaded.ok ? loaded.mesh.memory : null).toMatchObject({ per: 'task', retentionMs: 259_200_000, index: [] });
    expect(loaded.ok ? loaded.mesh.knowledge?.get('guide') : null).toMatchObject({
      classification: 'internal', flagged: 'withhold', overFetch: 3, readers: new Set(['triage']),
    });
  });
});

describe('the database of knowledge and memory in the mesh file', () => {
  const store = { host: 'db.example.org', database: 'agents', user: 'maso' };
  const loaded = (section: object) => load({ knowledge_store: section });

  test.each([
    ['its password in the file', { password: 'x' }, 'MESH_KEY_UNKNOWN'],
    ['an address with credentials', { host: 'maso:x@db.example.org' }, 'MESH_VALUE_INVALID'],
    ['a schema that is no plain name', { schema: 'maso; DROP TABLE item' }, 'MESH_VALUE_INVALID'],
    ['a password for whoever answers on loopback', { host: 'localhost', password_env: 'B' }, 'MESH_KNOWLEDGE_CLEAR'],
    ['a password in a file for the same', { host: '127.0.0.1', password_file: 'a' }, 'MESH_KNOWLEDGE_CLEAR'],
    ['two passwords', { password_file: 'a', password_env: 'B' }, 'MESH_KNOWLEDGE_PASSWORD'],
  ])('is refused with %s', (_, change, code) => {
    expect(loaded({ ...store, ...change }).diagnostics.map((one) => one.code)).toContain(code);
  });

  test.each([
    ['no password', { host: 'localhost' }],
    ['an authority', { host: 'localhost', password_env: 'B', ca_file: 'ca.pem' }],
    ['a unix socket', { host: '/run/postgresql', password_env: 'B' }],
  ])('may be on this machine with %s', (_, change) => {
    expect(codesOf({ knowledge_store: { ...store, ...change } })).toEqual([]);
  });

  test('is named by its host, or by the folder of its socket', () => {
    const mesh = (section: object) => {
      const one = loaded(section);
      return one.ok ? one.mesh.knowledgeStore : null;
    };
    expect(mesh({ ...store, password_env: 'DB_PASSWORD' })).toEqual({
      ...store, port: 5432, schema: 'maso', password: { kind: 'env', name: 'DB_PASSWORD' }, caFile: null,
    });
    expect(mesh({ ...store, host: '/run/postgresql', password_file: 'secret' })).toMatchObject({
      host: '/run/postgresql', password: { kind: 'file', path: expect.stringMatching(/^\/.*secret$/) },
    });
  });
});
