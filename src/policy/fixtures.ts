// SPDX-License-Identifier: Apache-2.0
import type { Diagnostic, Position } from '../mesh/diagnostic.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import type { JsonObject } from '../message/json.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { Finding, Outcome } from '../review/verdict.ts';
import type { CedarPolicies } from './cedar.ts';
import { comply, type ComplianceInput } from './comply.ts';
import { policyCodes } from './codes.ts';
import type { FixtureCase } from './fixtures-file.ts';
import { pointerTo } from './parameters.ts';

/** One case ready to run: every name resolved against the mesh. */
export type Fixture = {
  readonly name: string;
  readonly requester: Agent;
  readonly executor: Agent;
  readonly domain: string;
  readonly case: FixtureCase;
  readonly parameters: JsonObject;
  /** Where `expect` stands, and `codes` when the case names them. */
  readonly expectPlace: Position;
  readonly codesPlace: Position;
};

export type FixtureResult = {
  readonly name: string;
  readonly passed: boolean;
  readonly outcome: Outcome;
  /** Each code once, sorted. */
  readonly codes: readonly string[];
  /** What differs from what the case expects; empty when it passed. */
  readonly diagnostics: readonly Diagnostic[];
};

/**
 * Runs cases through the policy compliance check itself, with facts instead of a live mesh: the
 * requester's sidecar is believed as far as its declared isolation allows, the executor runs as
 * declared, PACE is Primary, nobody has approved. Content controls, mandates and the gate are not
 * part of it. Pure but for the Cedar policies handed in. Codes POLICY_TEST_*.
 */
export function runFixtures(
  fixtures: readonly Fixture[],
  mesh: Mesh,
  cedar: CedarPolicies | null,
): readonly FixtureResult[] {
  return fixtures.map((fixture) => {
    const { outcome, findings } = comply({ ...requestOf(fixture), mesh, cedar });
    const codes = [...new Set(findings.map(({ code }) => code))].sort();
    const diagnostics = compare(fixture, outcome, codes, findings);
    return {
      name: fixture.name, passed: diagnostics.length === 0, outcome, codes, diagnostics,
    };
  });
}

function requestOf(fixture: Fixture): Omit<ComplianceInput, 'mesh' | 'cedar'> {
  const { requester, executor, domain, parameters } = fixture;
  const { action, context } = fixture.case;
  const sources = Object.entries(context.sources)
    .map(([name, from]): [string, readonly string[]] => [sourcePointer(name), from]);
  const used = new Map(Object.entries(context.cap_used));
  // A fixture says nothing of the time: it is one at which both agents' boundaries have begun.
  const begins = [requester, executor].map((agent) => agent.oispec?.timeBoundary.notBeforeMs ?? 0);
  const nowMs = Math.max(...begins);
  return {
    request: { action, parameters, idempotencyKey: 'policy-test', evidence: [] },
    executor,
    requester: {
      agent: requester.name,
      label: {
        classification: context.classification,
        integrity: context.integrity,
        origins: [`agent:${requester.name}`],
      },
      sources: Object.fromEntries(sources),
      hop: context.hop,
      isolation: requester.isolation,
    },
    domain,
    task: mintUlid({ nowMs: () => nowMs }, { bytes: (count) => new Uint8Array(count) }),
    paceClamp: { phase: 'PRIMARY', allows: 'all' },
    isolation: executor.isolation,
    trustedValues: () => null,
    capUsed: (_action, parameter) => used.get(parameter) ?? 0,
    approvals: [],
    nowMs,
  };
}

/** A parameter's name, or a JSON Pointer into the parameters for a value inside of one. */
function sourcePointer(name: string): string {
  return name.startsWith('/') ? `/parameters${name}` : pointerTo(name);
}

/** Names codes and paths, never a value of the request (G9). */
function compare(
  fixture: Fixture,
  outcome: Outcome,
  codes: readonly string[],
  findings: readonly Finding[],
): readonly Diagnostic[] {
  const { expect, codes: expected } = fixture.case;
  const found: Diagnostic[] = [];
  const report = (place: Position, message: string): void => {
    const { mend } = policyCodes.POLICY_TEST_FAILED;
    found.push({ ...place, code: 'POLICY_TEST_FAILED', message, mend, severity: 'error' });
  };
  const named = JSON.stringify(fixture.name);
  if (outcome !== expect) {
    const because = findings.length === 0 ? '' : ` because of ${findings.map(shown).join(', ')}`;
    report(fixture.expectPlace, `${named}: expected ${expect} and got ${outcome}${because}.`);
  }
  if (expected === undefined) return found;
  const missing = [...new Set(expected)].filter((code) => !codes.includes(code)).sort();
  const extra = findings.filter(({ code }) => !expected.includes(code));
  if (missing.length > 0) {
    report(fixture.codesPlace, `${named}: expected ${missing.join(', ')} and did not get it.`);
  }
  if (extra.length > 0) {
    report(fixture.codesPlace, `${named}: got ${extra.map(shown).join(', ')} besides.`);
  }
  return found;
}

function shown({ code, path }: Finding): string {
  return path === null ? code : `${code} at ${path}`;
}
