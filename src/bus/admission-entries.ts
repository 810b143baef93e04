// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { PeerIdentity } from '../identity/credential.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding, type Verdict } from '../review/verdict.ts';

/** A code that refuses; `drop` ends the connection and raises a compromise indicator. */
export type Refusal = {
  readonly code: string;
  readonly drop: boolean;
  readonly path?: string | null;
};

type EntryContext = { readonly mesh: Mesh; readonly clock: Clock };

export function envelopeDigest(envelope: SignedEnvelope): string {
  return createHash('sha256').update(envelope).digest('base64url');
}

function busVerdict(mesh: Mesh, refusal: Refusal | null, tookUs: number): Verdict {
  return {
    outcome: refusal === null ? 'GO' : 'NO-GO',
    control: 'bus',
    version: mesh.digest.slice(0, 12),
    tookUs: Math.round(tookUs),
    findings: refusal === null ? [] : [finding(refusal.code, 'bus/admit', refusal.path ?? null)],
  };
}

/** Also written again at start for messages still queued; the recorder keeps one of each id. */
export function admittedEntry(
  body: EnvelopeBody,
  context: EntryContext,
  tookUs: number | null,
  watched: readonly Verdict[] = [],
): EntryDraft {
  return {
    kind: 'message.admitted',
    id: `${body.id}.admitted`,
    at: context.clock.nowMs(),
    actor: 'node',
    task: body.task,
    message: body.id,
    causedBy: [body.id],
    outcome: 'GO',
    code: null,
    verdicts: [busVerdict(context.mesh, null, tookUs ?? 0), ...watched],
    tookUs: tookUs === null ? null : Math.round(tookUs),
    detail: { domain: body.domain, from: body.from, schema: body.schema, to: body.to },
  };
}

export function refusedEntries(
  sender: PeerIdentity,
  envelope: SignedEnvelope,
  body: EnvelopeBody | null,
  refusal: Refusal | null,
  context: EntryContext,
  tookUs: number,
  watched: readonly Verdict[] = [],
): readonly EntryDraft[] {
  const digest = envelopeDigest(envelope);
  const at = context.clock.nowMs();
  const shared = {
    at,
    actor: 'node',
    task: body?.task ?? null,
    message: body?.id ?? null,
    causedBy: [],
    code: refusal?.code ?? 'BUS_FRAME_MALFORMED',
    tookUs: Math.round(tookUs),
  };
  const refused: EntryDraft = {
    ...shared,
    kind: 'message.refused',
    id: `refused.${digest}.${at}`,
    outcome: 'NO-GO',
    verdicts: [
      busVerdict(context.mesh, watched.length > 0 ? null : refusal, tookUs),
      ...watched,
    ],
    detail: {
      sender: sender.name,
      ...(body === null ? {} : { to: body.to, schema: body.schema, domain: body.domain }),
    },
  };
  if (!(refusal?.drop ?? true)) return [refused];
  const indicator: EntryDraft = {
    ...shared,
    kind: 'indicator.raised',
    id: `indicator.${digest}.${at}`,
    causedBy: [refused.id],
    outcome: null,
    verdicts: [],
    tookUs: null,
    detail: { agent: sender.name, indicator: 'COMPROMISE', connection: 'dropped' },
  };
  return [refused, indicator];
}

/** Nobody read the message before it expired: its recipient was away all the while. */
export function undeliveredEntry(body: EnvelopeBody, context: EntryContext): EntryDraft {
  const code = 'BUS_EXPIRED_UNDELIVERED';
  return {
    ...admittedEntry(body, context, null),
    kind: 'message.refused',
    id: `${body.id}.undelivered`,
    outcome: 'NO-GO',
    code,
    verdicts: [busVerdict(context.mesh, { code, drop: false }, 0)],
  };
}
