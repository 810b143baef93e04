// SPDX-License-Identifier: Apache-2.0
import type { Position } from './diagnostic.ts';
import {
  graphBreaches,
  type DutyBreach,
  type DutyCause,
  type DutyParameter,
  type DutyProof,
  type DutyRight,
  type DutyStep,
} from './duty-proof.ts';
import type { Placed, Problems } from './problems.ts';

/** Names shown of a list before it is cut; `--json` lists all. */
const shownMax = 8;

/** Breaches that run over edges, at the edge where they end, with the whole path in the message. */
export function dutyPathProblems(problems: Problems): void {
  const { placed } = problems;
  for (const breach of graphBreaches(placed.mesh)) {
    const last = breach.path.at(-1);
    const path = placed.edgePaths[last?.edge ?? -1] ?? ['security_mesh', 'edges'];
    problems.at(breach.code, 'error', path, breachText(breach, placed));
  }
}

/** What breaks the proof in one sentence, each edge of the path with its place. */
export function breachText(breach: DutyBreach, placed: Placed): string {
  const { agent, executor, action, tool, path } = breach;
  const held = tool === null ? agent : `${agent} holds ${tool}`;
  const reached = executor === null ? '' : ` and reaches ${action ?? 'it'} at ${executor}`;
  const what = breach.code === 'MESH_DUTIES_DELEGATED'
    ? `${agent} reads with ${tool ?? 'a tool'} and reaches ${action ?? 'an action'} of ` +
      `${executor ?? 'an executor'}, which nothing binds`
    : `${held}${reached}`;
  return path.length === 0 ? `${what}.` : `${what}: ${pathText(path, placed)}.`;
}

function pathText(path: readonly DutyStep[], placed: Placed): string {
  const steps = path.map(({ edge, to }) => ` -> ${to} (${short(edgePlace(edge, placed))})`);
  return `${path[0]?.from ?? ''}${steps.join('')}`;
}

/** Where an edge is written. */
export function edgePlace(edge: number, placed: Placed): Position {
  return placed.at(placed.edgePaths[edge] ?? ['security_mesh', 'edges']);
}

function short({ file, line, column }: Position): string {
  return `${file.slice(file.lastIndexOf('/') + 1)}:${line}:${column}`;
}

/** The proof for people: per executor and action who can cause it, how, and what binds it. */
export function proofLines(proof: DutyProof, placed: Placed): readonly string[] {
  const { agents, edges, rights, breaches } = proof;
  const over = `over ${count(agents, 'agent')}, ${count(edges, 'edge')} and ` +
    `${count(rights.length, 'right')} to act`;
  if (!proof.holds) {
    const broken = breaches.map((breach) => `  ${breach.code} ${breachText(breach, placed)}`);
    return [`separation of duties is BROKEN ${over}`, ...broken];
  }
  return [
    `separation of duties is proven ${over}`,
    '  executors are sent no prose; no agent upstream holds their credentials; orchestrators hold',
    '  no tool; whoever reads third-party data reaches only what is bound below',
    ...rights.flatMap((right) => rightLines(right, placed)),
  ];
}

function rightLines(right: DutyRight, placed: Placed): readonly string[] {
  const { executor, action, risk, operation, people, parameters, causes } = right;
  const released = people === 0 ? '' : `, released by ${count(people, 'person', 'people')}`;
  const asks = causes.filter((cause) => cause.hops === 1);
  const others = causes.filter((cause) => cause.hops > 1);
  return [
    `  ${executor} runs ${action} (${risk}) with ${operation}${released}`,
    ...causeLines('asked by', asks, placed),
    ...causeLines('set off by', others, placed),
    ...parameters.map((parameter) => `    ${parameterText(parameter)}`),
  ];
}

function causeLines(
  title: string,
  causes: readonly DutyCause[],
  placed: Placed,
): readonly string[] {
  if (causes.length === 0) return [];
  const more = causes.length - shownMax;
  const shown = causes.slice(0, shownMax).map(({ agent, next, edge, reads }) =>
    `      ${agent}${reads ? ' (reads third-party data)' : ''} -> ${next}, ` +
    short(edgePlace(edge, placed)));
  const rest = more > 0 ? [`      and ${more} more; --json lists them`] : [];
  return [`    ${title}`, ...shown, ...rest];
}

function parameterText(parameter: DutyParameter): string {
  const { name, from, ownWordsFrom, atMost, oneOf, always, endorsable, perHour } = parameter;
  const bounds = [
    ...(from.length === 0 ? [] : [`from ${from.join(', ')}`]),
    ...(ownWordsFrom.length === 0 ? [] : [`with own words from ${ownWordsFrom.join(', ')}`]),
    ...(always === 0 ? [] : [`${always} without a source`]),
    ...(atMost === null ? [] : [`at most ${atMost}`]),
    ...(oneOf === null ? [] : [`one of ${oneOf} listed`]),
    ...(endorsable ? ['else endorsed by a person'] : []),
    ...(perHour === null ? [] : [`${perHour} per hour`]),
    ...(parameter.free ? ['whatever its schema admits'] : []),
  ];
  return `${name}: ${bounds.join('; ')}`;
}

function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}
