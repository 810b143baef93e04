// SPDX-License-Identifier: Apache-2.0
// Control tests of the framework's data protection domain that the bus answers for; ids as there.
import { describe, expect, test } from 'vitest';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { FakeSidecar, partyOf } from '../../test/sidecar-fixture/sidecar.ts';
import { signEnvelope } from '../identity/sign-envelope.ts';
import { verifyEnvelope } from '../identity/verify-envelope.ts';
import { flowsTo } from '../label/label.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { parseEnvelopeBody } from '../message/envelope-parse.ts';
import type { Classification } from '../message/envelope.ts';
import { labelResult } from '../tool/result-label.ts';

const levels: readonly Classification[] = ['public', 'internal', 'confidential', 'restricted'];
const triage = partyOf('triage');
const sidecar = new FakeSidecar('payments');
const limits = { bytesMax: 262_144, depthMax: 32 };

describe('DP-T1.1: every flow is listed with its label', () => {
  test('no edge of a mesh is without a recorded classification', () => {
    const mesh = sampleMesh();
    const unclassified = mesh.edges.filter(
      ({ domain }) => !levels.includes(mesh.domains.get(domain)?.classification ?? ('none' as Classification)),
    );
    expect(mesh.edges.length).toBeGreaterThan(0);
    expect(unclassified).toEqual([]);
  });

  test('nor is what comes in through a tool, or out to one', () => {
    const { tools, agents } = sampleMesh();
    const comesIn = [...tools.values()].flatMap((tool) => [...tool.operations.keys()].map((operation) =>
      labelResult({ declared: { by: 'nobody' } }, tool, operation).label.classification));
    const declared = [...tools.values()].flatMap(({ results }) =>
      [...results.values()].map(({ classification }) => classification));
    expect([comesIn.length, declared.length]).not.toContain(0);
    expect([...comesIn, ...declared].filter((one) => !levels.includes(one))).toEqual([]);
    const holders = [...agents.values()].filter(({ tools: held }) => held.length > 0);
    expect(holders.length).toBeGreaterThan(0);
    expect(holders.filter(({ clearance }) => !levels.includes(clearance))).toEqual([]);
  });
});

describe('DP-T1.2: nothing flows down', () => {
  test.each(levels.flatMap((from) => levels.map((to) => [from, to] as const)))(
    '%s data to a clearance of %s', (from, to) => {
      expect(flowsTo(from, to)).toBe(levels.indexOf(from) <= levels.indexOf(to));
    },
  );
});

describe('DP-T1.5: labels arrive, and nothing travels without one', () => {
  test('10 of 10 labelled messages keep theirs', () => {
    const kept = Array.from({ length: 10 }, (_, at) => {
      const classification = levels[at % levels.length] ?? 'public';
      const label = { classification, integrity: 'untrusted', origins: [`tool:source-${at}`] } as const;
      const signed = signEnvelope(sidecar.bodyFrom(triage, { label }), triage.credential);
      const read = verifyEnvelope(signed, () => triage.peer, limits);
      return read.ok && canonicalize(read.body.label) === canonicalize(label);
    });
    expect(kept.filter(Boolean)).toHaveLength(10);
  });

  test('one without a label is refused', () => {
    const { label: _label, ...unlabelled } = sidecar.bodyFrom(triage);
    expect(parseEnvelopeBody(unlabelled).ok).toBe(false);
  });
});
