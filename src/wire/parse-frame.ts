// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import type { AllotmentAnswer } from '../bounds/allot.ts';
import { readsMax, type AllotmentAsk, type AllotmentReport } from '../bounds/ask.ts';
import { amountMax, type Charge } from '../bounds/charge.ts';
import { revocationKinds, type RevocationChange } from '../identity/revocation.ts';
import { readWorkflowChange } from '../mesh/workflow-change.ts';
import { tokensMax } from '../knowledge/asks.ts';
import { doubtfulCallsMax, type DoubtfulCall } from '../message/doubtful-call.ts';
import type { JsonObject } from '../message/json.ts';
import { defaultJsonLimits, parseStrictJson } from '../message/strict-json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { isEntryDraft } from '../recorder/entry-shape.ts';
import type { Hold } from '../oversight/hold.ts';
import { stoppedCallsMax, type StoppedCall } from '../pace/stopped-call.ts';
import { payloadPartBytes } from '../recorder/payload-keeper.ts';
import { keptPiecesMax, runsMax } from './frame.ts';
import { givenItem, knowledgeAsk } from './parse-knowledge.ts';
import type { ChangeRequest, NodeFrame, SidecarFrame, SpawnRequest } from './frame.ts';

/** A frame beyond this is refused before it is looked at, and the connection dropped. */
export const frameBytesMax = 1024 * 1024;
const depthMax = 40;
/** A version of the policy travels in parts that fit a frame whatever has to be escaped. */
export const policyPartLengthMax = 128 * 1024;
const policyPartsMax = 256;

/** What a tool gives at most, with its arguments, in parts. */
const keptPartsMax = 1024;
const keptPieceLengthMax = Math.ceil(payloadPartBytes / 3) * 4;

const id = z.string().min(1).max(160);
const name = z.string().min(1).max(128);
const number = z.int().min(0);
const json = z.json();
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json);
const code = z.string().regex(/^[A-Z][A-Z0-9_]{1,63}$/);

/** Kinds a sidecar may write; what only a node does cannot come from one. */
const sidecarKinds: ReadonlySet<string> = new Set([
  'policy.effective',
  'session.opened',
  'session.ended',
  'task.started',
  'message.outbound',
  'message.refused',
  'message.delivered',
  'request.reviewed',
  'approval.expired',
  'tool.intent',
  'tool.outcome',
  'tool.in-doubt',
  'tool.settled',
  'tool.refused',
  'model.called',
  'memory.written',
  'memory.read',
  'knowledge.read',
  'judge.called',
  'judge.ruled',
  'judge.calibrated',
  'indicator.raised',
  'pace.clamped',
  'recorder.unavailable',
  'recorder.recovered',
]);

const entry = z.custom<EntryDraft>(
  (value) => isEntryDraft(value) && sidecarKinds.has(value.kind),
);

const entries = z.array(entry).max(64);
const envelope = z.string().min(1).max(frameBytesMax);

const hold: z.ZodType<Hold> = z.strictObject({
  message: id,
  task: id,
  executor: name,
  requester: name,
  rootOrigin: name,
  action: name,
  risk: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  reversibility: name,
  parameters: jsonObject,
  digest: z.string().length(43),
  approvalsNeeded: z.union([z.literal(1), z.literal(2)]),
  reasons: z.array(code).max(32),
  endorse: z
    .array(
      z.strictObject({
        pointer: z.string().max(512),
        sources: z.array(z.string().max(256)).max(32),
        origins: z.array(z.string().max(160)).max(32),
      }),
    )
    .max(32)
    .optional(),
  told: z.strictObject({
    confidence: z.number().min(0).max(1).nullable(),
    unknowns: z.array(z.string().max(512)).max(32),
  }).optional(),
  expiresAt: number,
  causedBy: z.array(name).max(16).optional(),
  modifiedBy: z.array(name).max(3).optional(),
});

const names = z.array(z.string().min(1).max(63)).max(64);
const spawnRequest: z.ZodType<SpawnRequest> = z.strictObject({
  template: z.string().min(1).max(63),
  task: z.string().length(26),
  lifetimeMs: z.int().min(1).max(3_600_000).nullable(),
  tools: names.nullable(),
  requests: names.nullable(),
  clearance: z.enum(['public', 'internal', 'confidential', 'restricted']).nullable(),
  key: z.string().min(1).max(64),
  incarnation: id,
});

const integrity = z.enum(['trusted', 'internal', 'untrusted']);
const changeRequest: z.ZodType<ChangeRequest> = z.strictObject({
  change: z.json().transform((value, context) => {
    const change = readWorkflowChange(value);
    if (change === null) context.addIssue('No change.');
    return change ?? z.NEVER;
  }),
  task: z.string().length(26),
  key: z.string().min(1).max(64),
  policyVersion: z.int().min(0),
  integrity,
  mandate: z.string().max(64).nullable(),
});

/** A sum is named by what it bounds; text of a sidecar goes no further. */
const boundKey = z.string().regex(/^[A-Za-z0-9_.:@/ -]{1,256}$/);
const amount = z.number().min(0).max(amountMax);

const charge: z.ZodType<Charge> = z.strictObject({
  key: boundKey,
  amount,
  most: amount,
  windowMs: z.int().min(1).max(604_800_000).nullable(),
  untilMs: number,
  escalateAt: amount.nullable(),
  code,
});

const allotmentAsk: z.ZodType<AllotmentAsk> = z.strictObject({
  holder: id,
  requester: name,
  task: id,
  action: name.nullable(),
  operation: z.string().min(1).max(192),
  idempotencyKey: z.string().min(1).max(160),
  calls: z.int().min(1).max(readsMax),
  amounts: z.record(z.string().max(128), amount)
    .refine((amounts) => Object.keys(amounts).length <= 32),
  charges: z.array(charge).max(256),
  released: z.boolean(),
});

const allotmentReport: z.ZodType<AllotmentReport> = z.strictObject({
  ask: allotmentAsk,
  end: z.enum(['done', 'failed', 'in-doubt', 'not-run']),
  unusedShare: z.number().min(0).max(1),
});

const allotmentAnswer: z.ZodType<AllotmentAnswer> = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('granted'), probe: z.boolean() }),
  z.strictObject({ outcome: z.literal('refused'), code, bound: boundKey }),
  z.strictObject({
    outcome: z.literal('escalate'), code, bound: boundKey, also: z.array(code).max(16).optional(),
  }),
]);

/** People read these at a terminal: nothing that it would obey. */
const shown = z.string().regex(/^[!-~]{1,160}$/);
const doubtfulCall: z.ZodType<DoubtfulCall> = z.strictObject({
  call: shown,
  executor: shown,
  requester: shown,
  action: shown.nullable(),
  tool: shown,
  operation: shown,
  risk: z.enum(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']),
  task: shown.nullable(),
  since: number,
  code,
});

const nonce = z.string().length(22);
const stoppedCall: z.ZodType<StoppedCall> = z.strictObject({
  call: shown,
  tool: shown,
  operation: shown,
  write: z.boolean(),
  end: z.enum(['ended', 'told']),
});

const sidecarFrame: z.ZodType<SidecarFrame> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('hello'),
    meshDigest: z.string().max(64),
    policyVersion: number,
    isolation: z.enum(['none', 'uid', 'container']),
    runs: z.array(z.string().length(26)).min(1).max(runsMax),
    nonce,
  }),
  z.strictObject({
    kind: z.literal('publish'),
    number,
    policyVersion: number,
    envelope,
    entry,
    resend: z.boolean(),
  }),
  z.strictObject({ kind: z.literal('delivered'), number, entries }),
  z.strictObject({
    kind: z.literal('record'),
    number,
    privileged: z.boolean(),
    policyVersion: number,
    entries,
  }),
  z.strictObject({
    kind: z.literal('keep'),
    number,
    read: z.strictObject({ call: id, task: z.string().length(26), tool: name, operation: name }),
    first: z.int().min(0).max(keptPartsMax),
    parts: z.int().min(1).max(keptPartsMax),
    pieces: z.array(z.base64().max(keptPieceLengthMax)).min(1).max(keptPiecesMax),
  }),
  z.strictObject({ kind: z.literal('hold'), number, hold }),
  z.strictObject({ kind: z.literal('allot'), number, ask: allotmentAsk }),
  z.strictObject({
    kind: z.literal('settle'),
    number,
    reports: z.array(allotmentReport).min(1).max(64),
  }),
  z.strictObject({ kind: z.literal('renew'), number, csr: z.string().max(8192) }),
  z.strictObject({ kind: z.literal('bus-key'), number }),
  z.strictObject({ kind: z.literal('release'), number, signed: z.string().max(4_096) }),
  z.strictObject({ kind: z.literal('end-task'), number, task: z.string().length(26) }),
  z.strictObject({ kind: z.literal('lease'), number, policyVersion: number, nonce }),
  z.strictObject({
    kind: z.literal('clamped'),
    paceVersion: number,
    busy: z.boolean(),
    calls: z.array(stoppedCall).max(stoppedCallsMax),
  }),
  z.strictObject({ kind: z.literal('policy'), version: number, code: code.nullable() }),
  z.strictObject({ kind: z.literal('knowledge'), number, ask: knowledgeAsk }),
  z.strictObject({ kind: z.literal('spawn'), number, request: spawnRequest }),
  z.strictObject({ kind: z.literal('change'), number, request: changeRequest }),
  z.strictObject({
    kind: z.literal('end-child'),
    number,
    child: z.string().max(63).nullable(),
    task: z.string().length(26).nullable(),
  }),
  z.strictObject({
    kind: z.literal('calls'),
    number,
    calls: z.array(doubtfulCall).max(doubtfulCallsMax),
  }),
  z.strictObject({ kind: z.literal('call-settled'), settlement: id, code: code.nullable() }),
  z.strictObject({
    kind: z.literal('call-undone'),
    call: id,
    incident: id,
    status: z.enum(['DONE', 'REFUSED', 'IN-DOUBT', 'FAILED']),
    code: code.nullable(),
  }),
]);

const revocationChange: z.ZodType<RevocationChange> = z.strictObject({
  version: number,
  id,
  op: z.enum(['revoke', 'reinstate']),
  target: z.strictObject({
    kind: z.enum(revocationKinds),
    value: z.string().min(1).max(1024),
  }),
  at: number,
  signed: z.string().max(8192).nullable(),
});

const nodeFrame: z.ZodType<NodeFrame> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('welcome'),
    boot: id,
    meshDigest: z.string().max(64),
    policyVersion: number,
    operators: z.array(z.strictObject({ name, publicKey: jsonObject })).max(1000),
  }),
  z.strictObject({ kind: z.literal('accepted'), number }),
  z.strictObject({ kind: z.literal('refused'), number, code }),
  z.strictObject({ kind: z.literal('deliver'), number, envelope, chain: z.string().nullable() }),
  z.strictObject({ kind: z.literal('recorded'), number, code: code.nullable() }),
  z.strictObject({ kind: z.literal('held'), number, approval: id }),
  z.strictObject({
    kind: z.literal('quarantine'),
    messages: z.array(id).max(1000),
    incarnations: z.array(id).max(1000),
  }),
  z.strictObject({ kind: z.literal('known'), number, items: z.array(givenItem).max(tokensMax) }),
  z.strictObject({
    kind: z.literal('decided'),
    message: id,
    approval: id,
    outcome: z.enum(['approved', 'denied', 'expired', 'modified']),
    decisions: z.array(z.string().max(8192)).max(8),
  }),
  z.strictObject({ kind: z.literal('list-calls'), number }),
  z.strictObject({
    kind: z.literal('settle-call'),
    settlement: id,
    signed: z.string().max(8192),
  }),
  z.strictObject({ kind: z.literal('undo-call'), call: id, incident: id, signed: z.string().max(8192) }),
  z.strictObject({ kind: z.literal('allotted'), number, answer: allotmentAnswer }),
  z.strictObject({ kind: z.literal('settled'), number, code: code.nullable() }),
  z.strictObject({ kind: z.literal('renewed'), number, chain: z.string() }),
  z.strictObject({ kind: z.literal('bus-key'), number, publicKey: z.string().length(43) }),
  z.strictObject({
    kind: z.literal('released'),
    number,
    nonce: z.string().max(64),
    durationMs: number,
    sealed: z.strictObject({ enc: z.string().max(128), wrapped: z.string().max(256) }),
  }),
  z.strictObject({ kind: z.literal('key-ahead'), key: z.string().max(64), binding: z.string().max(8_192) }),
  z.strictObject({
    kind: z.literal('spawned'),
    number,
    child: z.string().max(63).nullable(),
    spiffeId: z.string().max(2048).nullable(),
    endsAt: number.nullable(),
    approval: id.nullable(),
  }),
  z.strictObject({ kind: z.literal('ended-child'), number, count: number }),
  z.strictObject({
    kind: z.literal('changed'),
    number,
    state: z.enum(['held', 'effective']),
    change: id,
    version: number.nullable(),
  }),
  z.strictObject({
    kind: z.literal('revocations'),
    since: number,
    version: number,
    changes: z.array(revocationChange).max(1_000),
  }),
  z.strictObject({
    kind: z.literal('lease'),
    number,
    signed: z.string().max(8192),
    chain: z.string().nullable(),
    accounts: number,
  }),
  z.strictObject({
    kind: z.literal('policy'),
    version: number,
    part: number,
    parts: number.min(1).max(policyPartsMax),
    text: z.string().max(policyPartLengthMax),
  }),
]);

export type ParsedFrame<Frame> =
  | { readonly ok: true; readonly frame: Frame }
  | { readonly ok: false; readonly code: string };

/** A frame from a sidecar: everything in it is chosen by whoever holds that sidecar. */
export function parseSidecarFrame(bytes: Uint8Array): ParsedFrame<SidecarFrame> {
  return parseFrame(bytes, sidecarFrame);
}

export function parseNodeFrame(bytes: Uint8Array): ParsedFrame<NodeFrame> {
  return parseFrame(bytes, nodeFrame);
}

function parseFrame<Frame>(bytes: Uint8Array, shape: z.ZodType<Frame>): ParsedFrame<Frame> {
  const parsed = parseStrictJson(bytes, { ...defaultJsonLimits, bytesMax: frameBytesMax, depthMax });
  if (!parsed.ok) return parsed;
  const shaped = shape.safeParse(parsed.value);
  return shaped.success
    ? { ok: true, frame: shaped.data }
    : { ok: false, code: 'BUS_FRAME_MALFORMED' };
}
