// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { diagnostic, type Diagnostic } from '../mesh/diagnostic.ts';
import { editorSchema } from '../mesh/editor-schemas.ts';
import { asJsonObject } from '../mesh/loading.ts';
import type { MeshCode } from '../mesh/codes.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { didYouMean } from '../mesh/nearest-name.ts';
import { parseYaml, type Path, type YamlSource } from '../mesh/yaml-source.ts';
import { parseShape } from '../mesh/zod-diagnostics.ts';
import { policyCodes } from './codes.ts';
import type { Fixture } from './fixtures.ts';

/** Files of this name beside the mesh file are its policy tests. */
export const fixtureFilePattern = /\.policy-test\.ya?ml$/;

const name = z.string().regex(/^[a-z][a-z0-9_-]{0,62}$/);
const source = z.string()
  .regex(/^(prompt|[a-z][a-z0-9_-]{0,62}(\.[A-Za-z0-9_*@/-]{1,128})+)$/);

const contextShape = z.strictObject({
  integrity: z.enum(['untrusted', 'internal', 'trusted']).default('untrusted')
    .describe('Where what the requester has read came from.'),
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']).default('internal'),
  sources: z.record(z.string(), z.array(source).max(32)).default({})
    .describe('Parameter, or JSON Pointer into the parameters -> sources of that whole value.'),
  hop: z.int().min(0).max(1000).default(1).describe('Hand-offs since the originator.'),
  domain: name.optional().describe('Needed when edges offer the action in several domains.'),
  cap_used: z.record(z.string(), z.number()).default({})
    .describe('Parameter -> what the last hour has used of its cap.'),
});

const caseShape = z.strictObject({
  name: z.string().min(1).max(200),
  requester: name,
  executor: name,
  action: name,
  parameters: z.record(z.string(), z.unknown()).default({}),
  context: contextShape.default({
    integrity: 'untrusted', classification: 'internal', sources: {}, hop: 1, cap_used: {},
  }),
  expect: z.enum(['GO', 'NO-GO', 'ESCALATE']),
  codes: z.array(z.string().min(1).max(64)).max(64).optional()
    .describe('Exactly the codes of the findings, in any order; absent means not compared.'),
});

/** `*.policy-test.yaml`: requests and what the policy compliance check must say to them. */
export const policyTestShape = z.strictObject({ cases: z.array(caseShape).min(1).max(10_000) });

/** The text of `schema/policy-test.json`, for editors. */
export function policyTestSchema(): string {
  return editorSchema('maso policy tests', policyTestShape);
}

export type FixtureCase = z.output<typeof caseShape>;

export type ParsedFixtures =
  | { readonly ok: true; readonly fixtures: readonly Fixture[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Parses a policy test file against its mesh. A name that the mesh does not declare is an error
 * with a position: a test with a misspelt name would pass for the wrong reason. Never throws.
 */
export function parseFixtures(file: string, text: string, mesh: Mesh): ParsedFixtures {
  const parsed = parseYaml(file, text);
  if (!parsed.ok) return { ok: false, diagnostics: parsed.diagnostics };
  const { source: yaml } = parsed;
  const shaped = parseShape(policyTestShape, yaml, [], yaml.value);
  if (!shaped.ok) return { ok: false, diagnostics: shaped.diagnostics };
  const reading = new Reading(yaml, mesh);
  const fixtures = shaped.value.cases.flatMap((one, index) => reading.fixture(one, index) ?? []);
  return reading.diagnostics.length > 0
    ? { ok: false, diagnostics: reading.diagnostics }
    : { ok: true, fixtures };
}

/** The cases of one file being resolved, and what is wrong with them. */
class Reading {
  readonly diagnostics: Diagnostic[] = [];
  readonly #source: YamlSource;
  readonly #mesh: Mesh;
  readonly #names = new Set<string>();

  constructor(yaml: YamlSource, mesh: Mesh) {
    this.#source = yaml;
    this.#mesh = mesh;
  }

  fixture(one: FixtureCase, index: number): Fixture | null {
    const path: Path = ['cases', index];
    const mesh = this.#mesh;
    if (this.#names.has(one.name)) this.#report('MESH_NAME_DUPLICATE', [...path, 'name']);
    this.#names.add(one.name);
    this.#refer('MESH_AGENT_UNKNOWN', one.requester, mesh.agents.keys(), [...path, 'requester']);
    this.#refer('MESH_AGENT_UNKNOWN', one.executor, mesh.agents.keys(), [...path, 'executor']);
    this.#refer('MESH_ACTION_UNKNOWN', one.action, mesh.actions.keys(), [...path, 'action']);
    this.#parameterNames(one, path);
    for (const [position, code] of (one.codes ?? []).entries()) {
      const at = [...path, 'codes', position];
      this.#refer('MESH_VALUE_INVALID', code, Object.keys(policyCodes), at);
    }
    const domain = this.#domainOf(one, path);
    const parameters = asJsonObject(one.parameters);
    if (parameters === null) this.#report('MESH_VALUE_INVALID', [...path, 'parameters']);
    const requester = mesh.agents.get(one.requester);
    const executor = mesh.agents.get(one.executor);
    if (requester === undefined || executor === undefined) return null;
    if (domain === null || parameters === null) return null;
    const expectPlace = this.#source.at([...path, 'expect']);
    const codesPlace = one.codes === undefined ? expectPlace : this.#source.at([...path, 'codes']);
    return {
      name: one.name, requester, executor, domain, case: one, parameters, expectPlace, codesPlace,
    };
  }

  /** A source for a parameter that the case does not send would vouch for nothing. */
  #parameterNames(one: FixtureCase, path: Path): void {
    const sent = Object.keys(one.parameters);
    for (const parameter of Object.keys(one.context.sources)) {
      const at = [...path, 'context', 'sources', parameter];
      const [named = ''] = parameter.startsWith('/')
        ? parameter.slice(1).split('/') : [parameter];
      this.#refer('MESH_VALUE_INVALID', named, sent, at);
    }
    const capped = this.#mesh.actions.get(one.action)?.caps;
    for (const parameter of Object.keys(one.context.cap_used)) {
      const at = [...path, 'context', 'cap_used', parameter];
      this.#refer('MESH_VALUE_INVALID', parameter, capped?.keys() ?? [], at);
    }
  }

  /** The domain named, else the only one in which the action is offered, else the mesh's only. */
  #domainOf(one: FixtureCase, path: Path): string | null {
    const { edges, domains } = this.#mesh;
    const given = one.context.domain;
    if (given !== undefined) {
      this.#refer('MESH_DOMAIN_UNKNOWN', given, domains.keys(), [...path, 'context', 'domain']);
      return given;
    }
    const offers = edges.filter(({ to, mayRequest }) =>
      to === one.executor && mayRequest.includes(one.action));
    const own = offers.filter(({ from }) => from === one.requester);
    const found = new Set((own.length > 0 ? own : offers).map(({ domain }) => domain));
    const candidates = found.size > 0 ? [...found] : [...domains.keys()];
    const [only] = candidates;
    if (only !== undefined && candidates.length === 1) return only;
    this.#report('MESH_KEY_MISSING', path, 'The key "domain" is missing under context.');
    return null;
  }

  #refer(code: MeshCode, given: string, declared: Iterable<string>, path: Path): void {
    const known = [...declared];
    if (known.includes(given)) return;
    const hint = didYouMean(given, known);
    this.#report(code, path, `This name is not known here${hint}`);
  }

  #report(code: MeshCode, path: Path, message?: string): void {
    this.diagnostics.push(diagnostic(code, 'error', this.#source.at(path), message));
  }
}
