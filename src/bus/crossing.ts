// SPDX-License-Identifier: Apache-2.0
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { Clock } from '../message/clock.ts';
import { textsBeside } from '../message/beside-payload.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import { crossesAtBus } from '../mesh/crossing.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding, type Verdict } from '../review/verdict.ts';
import type { Scanner } from '../scanner/scan.ts';
import type { Refusal } from './admission-entries.ts';

export type CrossingContext = {
  readonly mesh: Mesh;
  readonly clock: Clock;
  /** The scanner of the sidecars, for the mesh file in force; made when a message first needs it. */
  readonly scanner: () => Scanner;
  readonly scanShare: ScanShare;
};

/** What the node's own look at a message came to. */
export type Crossing = {
  readonly verdict: Verdict;
  readonly refusal: Refusal | null;
  /** On record beside the refusal: what it says of the sender's sidecar. */
  readonly signs: readonly EntryDraft[];
};

/**
 * Secrets and data at the bus (seed 002: DLP on the message bus; DP-2.1, DP-1.6). The sender's sidecar looks
 * first, and rewrites what is to be rewritten; one that was taken over leaves that out. So what goes from
 * one trust zone into another is looked at again here, by the same rules and the same actions for its domain's
 * classification. What is signed cannot be rewritten: data that still is to be redacted or tokenised
 * is refused. Null where the mesh file asks for no look: two ends in one zone pay nothing. In
 * `mode: observe` it refuses nothing.
 *
 * The attacker controls the whole payload and the sender's account of it, and whatever the scanner spends is
 * counted against that sender (`ScanShare`).
 */
export function reviewCrossing(
  body: EnvelopeBody,
  account: EntryDraft,
  { mesh, clock, scanner: scannerOf, scanShare }: CrossingContext,
): Crossing | null {
  if (!crossesAtBus(mesh, body.from, body.to)) return null;
  const nowMs = clock.nowMs();
  const scanner = scannerOf();
  if (!scanShare.allows(body.from, nowMs)) return rateLimited(mesh);
  const startedUs = performance.now() * 1000;
  const crossing = looked(body, account, mesh, scanner, nowMs);
  scanShare.charge(body.from, performance.now() * 1000 - startedUs, nowMs);
  return crossing;
}

function looked(body: EnvelopeBody, account: EntryDraft, mesh: Mesh, scanner: Scanner, nowMs: number): Crossing {
  const { scanned, owed } = look(body, mesh, scanner, `${body.from} ${body.to} ${body.task}`);
  const verdict = owed === null ? scanned
    : { ...scanned, outcome: 'NO-GO' as const, findings: [finding(owed, 'bus/crossing'), ...scanned.findings] };
  if (verdict.outcome !== 'NO-GO') return { verdict, refusal: null, signs: [] };
  if (mesh.mode === 'observe') return { verdict: { ...verdict, outcome: 'ESCALATE' }, refusal: null, signs: [] };
  const [lead] = verdict.findings;
  const refusal = { code: lead?.code ?? 'REVIEW_MISSING', drop: false, path: lead?.path ?? null };
  // Two halves in two messages may have met different memories of what went before: no sign of its own.
  const alone = look(body, mesh, scanner, null);
  const isPlain = alone.owed !== null || alone.scanned.outcome === 'NO-GO';
  return { verdict, refusal, signs: isPlain ? [sign(body, account, verdict.version, refusal.code, nowMs)] : [] };
}

function look(body: EnvelopeBody, mesh: Mesh, scanner: Scanner, stream: string | null) {
  // Of the domain, as the sender's sidecar went by: a label is what that sidecar says.
  const classification = mesh.domains.get(body.domain)?.classification ?? 'restricted';
  const place = {
    channel: mesh.agents.get(body.from)?.originator === true ? 'user' : 'agent_message',
    classification,
    stream,
    leaves: true,
    towardsPerson: mesh.agents.get(body.to)?.originator === true,
  } as const;
  const { payload: value, schema: schemaId, type } = body;
  const beside = textsBeside(body);
  const said = scanner.scan({ ...place, value, schemaId, type });
  const scanned = beside === null ? said
    : worseOf(said, scanner.scan({ ...place, value: beside, schemaId: null, type: null }));
  // A request for an action is never rewritten: for it the scan says ESCALATE, and a person is asked.
  const rewritten = [schemaId === actionRequestSchema ? null : value, beside];
  const masks = rewritten.map((one) => scanner.mask(one, classification));
  const owed = masks.some(({ count }) => count > 0) ? 'BUS_DATA_UNMASKED'
    : masks.some(({ isUnfinished }) => isUnfinished) ? 'SCAN_BUDGET' : null;
  return { scanned, owed };
}

function worseOf(one: Verdict, other: Verdict): Verdict {
  const isWorse = other.outcome === 'NO-GO' || (other.outcome === 'ESCALATE' && one.outcome === 'GO');
  const [first, second] = isWorse ? [other, one] : [one, other];
  return { ...first, tookUs: one.tookUs + other.tookUs, findings: [...first.findings, ...second.findings] };
}

function rateLimited(mesh: Mesh): Crossing {
  const code = 'BUS_RATE_LIMITED';
  const version = mesh.digest.slice(0, 12);
  const isTrial = mesh.mode === 'observe';
  const outcome = isTrial ? 'ESCALATE' : 'NO-GO';
  return {
    verdict: { outcome, control: 'bus', version, tookUs: 0, findings: [finding(code, 'bus/crossing')] },
    refusal: isTrial ? null : { code, drop: false },
    signs: [],
  };
}

/**
 * A sidecar that says that it applied these very rules, or says nothing of having applied any, and lets
 * through what they refuse, is not the one that was started: that isolates its agent. One that says other
 * rules, or that its work was spent, may be honest, and so may one that answers for a tool.
 */
function sign(
  body: EnvelopeBody,
  { verdicts }: EntryDraft,
  version: string,
  code: string,
  at: number,
): EntryDraft {
  const said = verdicts.filter(({ control }) => control === 'scanner');
  const isExcused = said.some((verdict) =>
    verdict.version !== version || verdict.findings.some((one) => one.code === 'SCAN_BUDGET'));
  const isProven = !isExcused && code !== 'SCAN_BUDGET' && body.schema !== actionOutcomeSchema;
  return {
    kind: 'indicator.raised',
    id: `${body.id}.crossing`,
    at,
    actor: 'node',
    task: body.task,
    message: body.id,
    causedBy: [],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { agent: body.from, indicator: isProven ? 'COMPROMISE' : 'DATA', to: body.to },
  };
}

const shareUsPerMs = 250;
const shareUsMax = 1_000_000;

/**
 * What the looks at one sender's messages may cost the node: a quarter of a core, and a second saved up.
 * Texts can be written to cost a scan milliseconds, and a node serves everybody.
 */
export class ScanShare {
  readonly #spent = new Map<string, { readonly us: number; readonly atMs: number }>();

  /** False until what was spent has come back. A clock that goes backwards gives nothing back. */
  allows(sender: string, nowMs: number): boolean {
    return this.#left(sender, nowMs) < shareUsMax;
  }

  /** Of one look a second at most: what took longer was held up by the machine, not by a text. */
  charge(sender: string, us: number, nowMs: number): void {
    const own = Math.min(Math.max(0, us), shareUsMax);
    this.#spent.set(sender, { us: this.#left(sender, nowMs) + own, atMs: nowMs });
  }

  /** What is still to come back, microseconds. */
  #left(sender: string, nowMs: number): number {
    const spent = this.#spent.get(sender);
    return spent === undefined ? 0 : Math.max(0, spent.us - Math.max(0, nowMs - spent.atMs) * shareUsPerMs);
  }
}
