// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readMesh } from '../adapters/mesh-files.ts';
import { credentialLifetimeMs, svidLifetimes } from './credential-lifetime.ts';
import { describeLines, describeMesh } from './describe.ts';
import { editorSchemas } from './editor-schemas.ts';
import { compileJsonSchema } from './json-schema.ts';
import { asJsonObject } from './loading.ts';
import { parseYaml } from './yaml-source.ts';
import { sampleMesh, sampleText } from '../../test/mesh-files/sample.ts';

const root = new URL('../../', import.meta.url);
const seedFile = fileURLToPath(new URL('examples/seed/security_mesh.yaml', root));

describe("the seed's own mesh file", () => {
  it('loads unchanged, and warns once of each tier that this build cannot provide', () => {
    const loaded = readMesh(seedFile);
    expect(loaded.ok).toBe(true);
    expect(loaded.diagnostics.map((item) => [item.severity, item.code, item.line])).toEqual([
      ['warning', 'MESH_TIER_UNAVAILABLE', 13],
      ['warning', 'MESH_TIER_UNAVAILABLE', 19],
    ]);
  });

  it('means what the seed says', () => {
    const loaded = readMesh(seedFile);
    if (!loaded.ok) throw new Error('refused');
    const { mesh } = loaded;
    expect(mesh).toMatchObject({
      tlsMinVersion: 'TLSv1.3',
      credentialRotationIntervalMs: 600_000,
      auditScope: 'FULL_MESH',
      autonomyTier: 2,
    });
    expect([...mesh.domains.values()].map((domain) => [
      domain.name, domain.tier, domain.allowedRoles, domain.metadataMasking, domain.auditLevel,
      domain.attestationRequired, domain.maxTokenAgeMs,
    ])).toEqual([
      [
        'agent_memory',
        'RETRIEVAL',
        ['RETRIEVER', 'ORCHESTRATOR'],
        true,
        'FULL_MESH',
        false,
        600_000,
      ],
      ['pii_inference', 'COMPUTATION', ['EXECUTOR', 'ANALYST'], true, 'FULL_MESH', true, 600_000],
      ['financial_models', 'FHE', ['ANALYST'], true, 'FULL_MESH', true, 600_000],
      [
        'coordination',
        'RETRIEVAL',
        ['ORCHESTRATOR', 'EXECUTOR'],
        false,
        'OUTPUT_ONLY',
        false,
        600_000,
      ],
    ]);
  });
});

describe('schemas for editors', () => {
  it('are what the shapes of the loader say', () => {
    for (const [file, text] of editorSchemas()) {
      expect(readFileSync(new URL(`schema/${file}`, root), 'utf8')).toBe(text);
    }
  });

  it('accept the seed file and the sample, and refuse an unknown key', () => {
    const schema = asJsonObject(JSON.parse(editorSchemas().get('security_mesh.json') ?? '{}'));
    const compiled = schema === null ? null : compileJsonSchema(schema);
    if (compiled === null || !compiled.ok) throw new Error('the editor schema does not compile');
    for (const text of [readFileSync(seedFile, 'utf8'), sampleText]) {
      const parsed = parseYaml('x', text);
      const value = parsed.ok ? asJsonObject(parsed.source.value) : null;
      if (value === null) throw new Error('not a map');
      expect(compiled.check(value)).toBe(null);
      expect(compiled.check({ ...value, other: 1 })).not.toBe(null);
    }
  });
});

describe('describeMesh', () => {
  it('tells tiers, deselected controls with reason and name, and who reads and executes', () => {
    const lines = describeLines(describeMesh(sampleMesh())).join('\n');
    expect(lines).toContain('PG-1.5 is deselected by security@example.org: no human-facing');
    expect(lines).toContain('agent triage: RETRIEVER, isolation none, third-party data from mail');
    expect(lines).toContain('executes pay_invoice (HIGH), check_payment (LOW)');
  });
});

describe('credentialLifetimeMs', () => {
  it('gives who executes HIGH or CRITICAL actions at most fifteen minutes', () => {
    const mesh = sampleMesh([['600000', '3600000']]);
    const life = (name: string): number => {
      const agent = mesh.agents.get(name);
      return agent === undefined ? 0 : credentialLifetimeMs(mesh, agent);
    };
    expect([life('payments'), life('triage')]).toEqual([900_000, 3_600_000]);
    const lifetimes = svidLifetimes(mesh);
    const idOf = (name: string) =>
      ({ kind: 'agent', trustDomain: mesh.trustDomain, name, instance: 'one' }) as const;
    expect(lifetimes(idOf('payments'))).toBe(900_000);
    expect(lifetimes(idOf('triage'))).toBe(3_600_000);
  });

  it('leaves an executor of LOW actions what the mesh file says', () => {
    const mesh = sampleMesh([['600000', '3600000'], ['risk: HIGH', 'risk: LOW']]);
    const agent = mesh.agents.get('payments');
    expect(agent === undefined ? 0 : credentialLifetimeMs(mesh, agent)).toBe(3_600_000);
  });
});
