// SPDX-License-Identifier: Apache-2.0
import { canonicalize } from '../message/canonical-json.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { fitEntry } from '../recorder/entry-fit.ts';
import type { CombinedVerdict } from '../review/verdict.ts';
import type { SidecarContext } from './context.ts';
import { mandateDetail } from './mandate-review.ts';

/** What led to a message: ids in the order handed over, and where the agent's tracing says it is. */
export type Caused = {
  readonly inputs: readonly string[];
  /** Its word: shown as a link, believed by nobody. */
  readonly traceparent?: string | null;
  readonly incarnation?: string;
  /** The stopped agent in whose place this one has it; absent is nobody. */
  readonly insteadOf?: string;
};

/** The sender's sidecar's own account of a message that leaves. */
export function outboundEntry(
  body: EnvelopeBody,
  verdict: CombinedVerdict,
  { inputs: causedBy, traceparent = null, incarnation, insteadOf }: Caused,
  tookUs: number,
  context: SidecarContext,
): EntryDraft {
  const domain = context.mesh.domains.get(body.domain);
  const full = domain?.auditLevel !== 'OUTPUT_ONLY';
  return context.numbers.numbered(fitEntry({
    kind: 'message.outbound',
    id: `${body.id}.outbound`,
    at: body.issuedAt,
    actor: `agent:${body.from}`,
    task: body.task,
    message: body.id,
    causedBy,
    outcome: verdict.outcome,
    code: verdict.lead?.code ?? null,
    verdicts: verdict.verdicts,
    tookUs: Math.round(tookUs),
    // In canonical order, but for a mandate: the recorder writes it without sorting.
    detail: {
      ...(full ? { causes: { count: body.causes.count, digest: body.causes.digest } } : {}),
      domain: body.domain,
      hop: body.hop,
      ...(incarnation === undefined ? {} : { incarnation }),
      ...(insteadOf === undefined ? {} : { insteadOf }),
      ...(full ? { instance: body.instance } : {}),
      isolation: body.provenance.isolation,
      ...(full ? contentDetail(body, context) : {}),
      ...mandateDetail(body.mandate),
      policy: context.policy.version,
      schema: body.schema,
      source: body.provenance.source,
      ...(full ? { sources: Object.keys(body.sources).length } : {}),
      to: body.to,
      ...(traceparent === null ? {} : { traceparent }),
      type: body.type,
    },
  }));
}

/** How many places were rewritten; never what stood there. */
export function withMasked(entry: EntryDraft, masked: number): EntryDraft {
  return masked === 0 ? entry : { ...entry, detail: { ...entry.detail, masked } };
}

function contentDetail(body: EnvelopeBody, context: SidecarContext): EntryDraft['detail'] {
  const bytes = canonicalize(body.payload);
  const distance = context.shape?.distance(bytes) ?? null;
  return {
    label: {
      classification: body.label.classification,
      integrity: body.label.integrity,
      origins: [...body.label.origins],
    },
    payload: {
      bytes: bytes.length, digest: context.keyedDigest(bytes), ...(distance === null ? {} : { distance }),
    },
  };
}
