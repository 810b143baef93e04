// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { systemClock } from '../adapters/clock-system.ts';
import type { Approval } from '../oversight/approvals.ts';
import { signOperatorDecision, type OperatorStatement } from '../identity/operator-signature.ts';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import { parseStrictJson } from '../message/strict-json.ts';
import { codeEntry } from '../process/codes.ts';
import type { CommandIo } from './check.ts';
import { askNode, keyOfOperator, sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';
import { labelled, printable, wrapped } from './text-lines.ts';

type ListOptions = {
  readonly state: string;
  readonly all: boolean;
  readonly search: string;
  readonly limit: string;
  readonly json: boolean;
};

type DecideOptions = {
  readonly id: string;
  readonly decision: OperatorStatement['decision'];
  /** File with the parameters to perform instead, for `modify`. */
  readonly parameters?: string;
  readonly state: string;
  readonly as: string;
  readonly key?: string;
  readonly reason: string;
  readonly json: boolean;
};

/** `maso approvals list`: what waits for a person, the nearest deadline first. */
export async function approvalsList(options: ListOptions, io: CommandIo): Promise<number> {
  const limit = Number(options.limit);
  if (!Number.isSafeInteger(limit) || limit < 1) {
    io.err('--limit wants a number from 1 up.');
    return 2;
  }
  const state = stateDirectoryOf(options.state, null);
  const { approvals, total } = await find(state, options.search, options.all, limit);
  if (options.json) {
    io.out(JSON.stringify({ approvals, total }));
    return 0;
  }
  if (approvals.length === 0) io.out('No action waits for a person.');
  const nowMs = systemClock().nowMs();
  for (const approval of approvals) for (const line of describe(approval, nowMs)) io.out(line);
  if (total > approvals.length) io.out(`${total - approvals.length} more; see --limit and --search`);
  return 0;
}

/** `maso approvals show ID`: one question whole, with what its codes mean. */
export async function approvalsShow(
  options: { readonly id: string; readonly state: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const approval = await one(stateDirectoryOf(options.state, null), options.id);
  if (approval === null) return sayRefused('OVERSIGHT_APPROVAL_UNKNOWN', options.json, io);
  if (options.json) {
    io.out(JSON.stringify(approval));
    return 0;
  }
  for (const line of describe(approval, systemClock().nowMs())) io.out(line);
  const { hold, decisions, modifications = [] } = approval;
  for (const line of toldLines(hold)) io.out(line);
  for (const code of hold.reasons) {
    const entry = codeEntry(code);
    io.out(code);
    if (entry !== null) for (const line of wrapped(entry.means, '  ')) io.out(line);
  }
  for (const { operator, decision = 'approve', at } of [...modifications, ...decisions]) {
    const when = at === undefined ? '' : new Date(at).toISOString();
    io.out(`${when}  ${operator} said ${decision}`.trimStart());
  }
  io.out(`digest ${hold.digest}: a decision holds for this and for nothing else`);
  return 0;
}

/** `maso approvals approve|deny|modify|escalate`: signs here, with the operator's key, and sends. */
export async function approvalsDecide(options: DecideOptions, io: CommandIo): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const parameters = options.parameters === undefined ? null : readParameters(options.parameters);
  if (options.decision === 'modify' && parameters === null) {
    io.err('--parameters wants a file with one JSON object: the parameters to perform instead.');
    return 2;
  }
  const approval = await one(stateDirectory, options.id);
  if (approval === null) return sayRefused('OVERSIGHT_APPROVAL_UNKNOWN', options.json, io);
  const key = await keyOfOperator(stateDirectory, options.key);
  const signed = signOperatorDecision(
    {
      approval: approval.id,
      digest: approval.hold.digest,
      decision: options.decision,
      operator: options.as,
      at: systemClock().nowMs(),
      reason: options.reason,
      ...(parameters === null ? {} : { parameters }),
    },
    key,
  );
  const answer = await askNode(stateDirectory, 'POST', '/v1/approvals/decisions', { signed });
  if (answer.status !== 200) {
    return sayRefused(String(answer.body['code'] ?? 'OVERSIGHT_APPROVAL_UNKNOWN'), options.json, io);
  }
  const now = await one(stateDirectory, approval.id);
  if (options.json) io.out(JSON.stringify({ approval: approval.id, state: now?.state ?? null }));
  else io.out(`${said[options.decision]} ${approval.id}: ${stateText(now)}`);
  return 0;
}

/** `maso approvals probe`: puts a probe among what waits, whatever the schedule of the mesh file. */
export async function approvalsProbe(
  options: { readonly state: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const answer = await askNode(stateDirectoryOf(options.state, null), 'POST', '/v1/approvals/probes');
  if (answer.status !== 200) {
    return sayRefused(String(answer.body['code'] ?? 'OVERSIGHT_PROBE_NONE'), options.json, io);
  }
  io.out(options.json ? JSON.stringify({ planted: true })
    : 'A probe waits among the held actions. It is not marked, and can execute nothing.');
  return 0;
}

const said = {
  approve: 'Approved', deny: 'Denied', modify: 'Modified', escalate: 'Escalated',
} as const;

function stateText(approval: Approval | null): string {
  if (approval?.probe === true) {
    return approval.decisions.some(({ decision }) => decision === 'approve')
      ? 'it was a probe, and nothing runs. Its values had no source: look again next time.'
      : 'it was a probe, and you saw it. Nothing runs.';
  }
  if (approval?.state === 'modified') return 'it is judged from the start, then another person decides.';
  if (approval?.state !== 'pending') return `the action is ${approval?.state ?? 'unknown'}.`;
  const approved = approval.decisions.filter(({ decision = 'approve' }) => decision === 'approve');
  const missing = approval.hold.approvalsNeeded - approved.length;
  return `${missing} more person${missing === 1 ? '' : 's'} must approve.`;
}

/** How sure the requester may be, by what its process was told. */
function toldLines({ told }: Approval['hold']): readonly string[] {
  if (told === undefined) return [];
  return [
    ...labelled('confidence', told.confidence === null ? 'nobody gave one' : String(told.confidence)),
    ...told.unknowns.flatMap((unknown) => labelled('unknown', printable(unknown))),
  ];
}

function describe(approval: Approval, nowMs: number): readonly string[] {
  const { hold } = approval;
  const leftSeconds = Math.max(0, Math.round((hold.expiresAt - nowMs) / 1000));
  const approved = approval.decisions.filter(({ decision = 'approve' }) => decision === 'approve');
  const modified = hold.modifiedBy ?? [];
  return [
    `${approval.id}  ${approval.state}  ${hold.risk}  ${hold.action}  (${hold.reversibility})`,
    ...labelled('asked by', `${hold.requester} of ${hold.executor}, set off by ${printable(hold.rootOrigin)}`),
    ...labelled('because', hold.reasons.join(', ') || 'the policy asks for a person'),
    ...Object.entries(hold.parameters).flatMap(([name, value]) =>
      labelled(printable(name), printable(JSON.stringify(value)))),
    ...(modified.length === 0 ? [] : labelled('modified', `by ${modified.join(', ')}`)),
    ...(hold.endorse ?? []).flatMap(({ pointer, sources, origins }) =>
      labelled('endorse', `${printable(pointer)} ${sources.length > 0
        ? `came from ${printable(sources.join(', '))}`
        : `has no source; its requester has read ${printable(origins.join(', '))}`}`)),
    ...labelled('approvals', `${approved.length} of ${hold.approvalsNeeded}` +
      (approval.state === 'pending' ? `, ${leftSeconds} s left` : '')),
    ...labelled('trace', `maso trace ${hold.message}`),
    '',
  ];
}

async function find(
  stateDirectory: string,
  search: string,
  all: boolean,
  limit: number,
): Promise<{ readonly approvals: readonly Approval[]; readonly total: number }> {
  const query = new URLSearchParams({
    state: all ? 'all' : 'pending', search, limit: String(limit),
  });
  const { body } = await askNode(stateDirectory, 'GET', `/v1/approvals?${query}`);
  const approvals = (body['approvals'] ?? []) as unknown as readonly Approval[];
  return { approvals, total: Number(body['total'] ?? approvals.length) };
}

/** By its id or the first characters of it, as long as they name one. */
async function one(stateDirectory: string, id: string): Promise<Approval | null> {
  const { approvals } = await find(stateDirectory, '', true, 10_000);
  const pending = await find(stateDirectory, '', false, 20_000);
  const known = new Map([...approvals, ...pending.approvals].map((found) => [found.id, found]));
  const matching = [...known.values()].filter((found) => found.id.startsWith(id));
  return matching.length === 1 ? (matching[0] ?? null) : null;
}

function readParameters(file: string): JsonObject | null {
  const parsed = parseStrictJson(readFileSync(file));
  return parsed.ok && isJsonObject(parsed.value) ? parsed.value : null;
}
