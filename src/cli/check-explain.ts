// SPDX-License-Identifier: Apache-2.0
import { relative, resolve } from 'node:path';
import { readMesh } from '../adapters/mesh-files.ts';
import { formatDiagnostic, shown, type Position } from '../mesh/diagnostic.ts';
import type { LoadedMesh } from '../mesh/load.ts';
import { didYouMean } from '../mesh/nearest-name.ts';
import { explain, routesOf, type Explanation, type Way } from '../policy/explain.ts';
import { explainCedar, type CedarSays } from '../policy/explain-cedar.ts';
import type { Rule } from '../policy/explain-rule.ts';
import { policyDiagnostics, type CommandIo, type ExitCode } from './check.ts';

export type ExplainOptions = {
  readonly file: string;
  readonly agent: string;
  readonly action: string;
  readonly json: boolean;
};

type Loaded = Extract<LoadedMesh, { ok: true }>;

/**
 * `maso check --explain AGENT ACTION FILE`: every rule that allows or refuses the request, with its
 * place. 0 when the agent may ask, perhaps with an approval; 1 when it may not or the mesh is
 * refused; 2 when the mesh has no such agent or action.
 */
export async function explainCommand(options: ExplainOptions, io: CommandIo): Promise<ExitCode> {
  const loaded = readMesh(resolve(io.directory, options.file));
  const faults = [...loaded.diagnostics, ...(await policyDiagnostics(loaded))]
    .filter((item) => item.severity === 'error');
  if (!loaded.ok || faults.length > 0) {
    if (options.json) io.out(JSON.stringify({ ok: false, diagnostics: faults }));
    else for (const item of faults) io.out(formatDiagnostic(shownFrom(item, io.directory)));
    return 1;
  }
  const { mesh } = loaded;
  const unknown = [
    ...unknownName('MESH_AGENT_UNKNOWN', 'agents', options.agent, mesh.agents),
    ...unknownName('MESH_ACTION_UNKNOWN', 'actions', options.action, mesh.actions),
  ];
  if (unknown.length > 0) {
    if (options.json) io.out(JSON.stringify({ ok: false, unknown }));
    else for (const { code, message } of unknown) io.err(`${code} ${message}`);
    return 2;
  }
  const explanation = await explanationOf(loaded, options.agent, options.action);
  if (options.json) io.out(JSON.stringify(relativeTo(io.directory, explanation)));
  else for (const line of explanationLines(explanation, io.directory)) io.out(line);
  return explanation.outcome === 'NO-GO' ? 1 : 0;
}

async function explanationOf(loaded: Loaded, from: string, name: string): Promise<Explanation> {
  const { placed, policyPlaces } = loaded;
  const { mesh } = placed;
  const agent = mesh.agents.get(from);
  const action = mesh.actions.get(name);
  if (agent === undefined || action === undefined) {
    return { agent: from, action: name, outcome: 'NO-GO', ways: [] };
  }
  const said = new Map<string, readonly CedarSays[]>();
  for (const { executor, domain } of routesOf(mesh, agent, action)) {
    const question = { action, executor, requester: agent, domain };
    said.set(`${executor.name} ${domain}`, await explainCedar(mesh, question));
  }
  const cedarSays = (executor: { readonly name: string }, domain: string) =>
    said.get(`${executor.name} ${domain}`) ?? [];
  return explain({ mesh, placed, policyPlaces, agent, action, cedarSays });
}

type Unknown = { readonly code: string; readonly message: string };

function unknownName(
  code: string,
  section: string,
  name: string,
  declared: ReadonlyMap<string, unknown>,
): readonly Unknown[] {
  if (declared.has(name)) return [];
  const hint = didYouMean(name, declared.keys());
  return [{ code, message: `${shown(name)} is not declared under ${section}${hint}` }];
}

const answers = {
  GO: 'may request',
  ESCALATE: 'may request, with an approval,',
  'NO-GO': 'may not request',
} as const;

function explanationLines(explanation: Explanation, directory: string): readonly string[] {
  const { agent, action, outcome, ways } = explanation;
  if (ways.length === 0) return [`${agent} may not request ${action}: no executor offers it`];
  return [
    `${agent} ${answers[outcome]} ${action}`,
    ...ways.flatMap((way) => wayLines(way, directory)),
  ];
}

function wayLines(way: Way, directory: string): readonly string[] {
  const { executor, domain, outcome, approvals, rules } = way;
  const people = approvals === 0 ? '' : `, ${approvals} approval${approvals === 1 ? '' : 's'}`;
  return [
    `  of ${executor} in ${domain}: ${outcome}${people}`,
    ...rules.map((rule) => `    ${ruleText(rule, directory)}`),
  ];
}

function ruleText({ effect, control, code, text, place }: Rule, directory: string): string {
  const { file, line, column } = shownFrom(place, directory);
  const shownCode = code === null ? '' : ` [${code}]`;
  return `${effect.padEnd(7)} ${control.padEnd(9)} ${file}:${line}:${column} ${text}${shownCode}`;
}

function relativeTo(directory: string, explanation: Explanation): Explanation {
  const ways = explanation.ways.map((way) => ({
    ...way,
    rules: way.rules.map((rule) => ({ ...rule, place: shownFrom(rule.place, directory) })),
  }));
  return { ...explanation, ways };
}

function shownFrom<Item extends Position>(item: Item, directory: string): Item {
  return { ...item, file: relative(directory, item.file) || item.file };
}
