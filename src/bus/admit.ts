// SPDX-License-Identifier: Apache-2.0
import { verifyEnvelope } from '../identity/verify-envelope.ts';
import type { RevocationList } from '../identity/revocation.ts';
import type { Attestor } from '../identity/attestor.ts';
import type { PeerIdentity } from '../identity/credential.ts';
import type { ContagionMonitor, Review } from '../contagion/monitor.ts';
import { flowsTo } from '../label/label.ts';
import type { Mesh, Agent, Domain } from '../mesh/mesh.ts';
import { usurpsPerson } from '../mesh/originator.ts';
import type { Clock } from '../message/clock.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { PaceView } from '../pace/pace-view.ts';
import { paceRefusal } from './pace-refusal.ts';
import { exchangeRefusal } from '../protection/exchange.ts';
import { openedClear, type NewKey, type Opened, type Protection } from '../protection/protection.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { TokenBuckets } from '../scanner/rate.ts';
import type { SchemaRegistry } from '../scanner/schema-registry.ts';
import { admittedEntry, refusedEntries, type Refusal } from './admission-entries.ts';
import type { MessageQueue, QueuedMessage } from './message-queue.ts';
import type { InOrder } from './in-order.ts';
import { keepPayload, type PayloadPort } from './payload-port.ts';
import { readAgain, type SecondReader, type SecondReading } from './second-reading.ts';
import { signEntries, watch } from './watch.ts';
import { exitResent, isHarmlessResend } from './resend.ts';
import { spawnedRefusal, type SpawnedView } from './spawned.ts';
import { edgeRefusal } from './edge-refusal.ts';
import { hasRoom } from './queue-share.ts';
import { reviewCrossing, type Crossing, type CrossingContext } from './crossing.ts';
import { headRefusal, staleRefusal } from './head-refusal.ts';

export type Publication = {
  readonly envelope: string;
  /** Version of the policy that the sender's sidecar judged it under. */
  readonly policyVersion: number;
  /** The sender's sidecar's own account of the step, recorded together with the admission. */
  readonly entry: EntryDraft;
  /** True when the sidecar repeats a publication whose answer it never saw. */
  readonly resend: boolean;
};

export type Admission =
  | { readonly answer: 'accepted'; readonly message: QueuedMessage | null }
  | { readonly answer: 'refused'; readonly code: string; readonly drop: boolean };

export type AdmitContext = SpawnedView & CrossingContext & {
  readonly mesh: Mesh;
  /** Which version of the policy `mesh` is. */
  readonly policy: { readonly version: number };
  readonly clock: Clock;
  readonly pace: PaceView;
  readonly schemas: SchemaRegistry;
  readonly protection: Protection;
  readonly attestor: Attestor;
  readonly rates: TokenBuckets;
  readonly queue: MessageQueue;
  readonly recorder: Recorder;
  readonly contagion: ContagionMonitor;
  readonly secondReader: SecondReader;
  readonly order: InOrder;
  readonly revocations: RevocationList;
  /** Who handed whom the task, durable when it resolves. */
  readonly noteHandOver: (body: EnvelopeBody) => Promise<void>;
  readonly mandates: MandateRegister;
  readonly payloads: PayloadPort;
  readonly isRunAside: (run: string) => boolean;
  /** Tells a connected recipient under which new data key a message for it is coming. */
  readonly keyAhead: (recipient: string, key: NewKey) => void;
  /** Identities this node issued and has not revoked, by thumbprint. */
  readonly identityOf: (thumbprint: string) => PeerIdentity | null;
};

/** The control plane's register of mandates, as the bus uses it. */
export interface MandateRegister {
  /** Why a message may not travel with its mandate; null where it may, or has none. */
  refusal(body: EnvelopeBody): string | null;
  /** Resolves when the mandate of an admitted message is durable. */
  register(body: EnvelopeBody): Promise<void>;
}

type Judged = {
  readonly body: EnvelopeBody | null;
  readonly refusal: Refusal | null;
  /** Resolves when the data key of its payload is durable; absent where it is, or has none. */
  readonly kept?: Promise<void> | undefined;
  readonly newKey?: NewKey | undefined;
};
type Watched = Judged & { readonly review: Review | null; readonly crossing: Crossing | null };

/** Hand-offs of one task; more than any real workflow needs, less than a circle would take. */
const hopsMax = 32;

/**
 * The bus as policy enforcement point (G1): nothing is queued for an agent but a message that is
 * authentic, typed, schema-valid, fresh, unreplayed, allowed on that edge and within the recipient's
 * clearance. Resolves when message and record are durable. IA-2.3, PG-1.4, DP-1.6.
 */
export async function admit(
  sender: PeerIdentity,
  publication: Publication,
  context: AdmitContext,
): Promise<Admission> {
  const startedUs = performance.now() * 1000;
  const judging = judge(sender, publication, context);
  const turn = context.order.turn(sender.name, whatTakesTime(judging, context));
  const waited = turn === null ? null : await turn;
  const judged = judging instanceof Promise ? await judging : judging;
  const passed = turn === null ? judged : judgeAgain(judged, sender, publication, context);
  if (passed.body !== null && isHarmlessResend(publication, passed, context)) {
    return exitResent(publication, passed.body, passed.kept, context);
  }
  const { body } = passed;
  const isRead = passed.refusal === null && body !== null;
  // Each to its end, whatever the other says.
  const crossing = isRead ? reviewCrossing(body, publication.entry, context) : null;
  const review = isRead ? watch(body, publication.entry, waited, context) : null;
  const refusal = passed.refusal ?? crossing?.refusal ?? contagionRefusal(review);
  const watched = { ...passed, refusal, review, crossing };
  return exit(sender, publication, watched, context, performance.now() * 1000 - startedUs);
}

/** Null where nothing is to be waited for: the key of the payload is at hand, and nothing is read. */
function whatTakesTime(
  judging: Judged | Promise<Judged>,
  context: AdmitContext,
): Promise<SecondReading | null> | null {
  if (!(judging instanceof Promise)) return secondReading(judging, context);
  return judging.then((judged) => secondReading(judged, context));
}

function secondReading({ body, refusal }: Judged, context: AdmitContext): Promise<SecondReading> | null {
  const { mesh, secondReader } = context;
  const isRead = refusal === null && body !== null && body.label.integrity === 'untrusted';
  return isRead && secondReader.model.configured ? readAgain(body, mesh, secondReader) : null;
}

/** Much may have changed while a message waited: its twin came in, its sender was revoked. */
function judgeAgain(
  judged: Judged,
  sender: PeerIdentity,
  publication: Publication,
  context: AdmitContext,
): Judged {
  const { body, refusal } = judged;
  if (refusal !== null || body === null) return judged;
  if (context.revocations.isRevoked(sender)) return refused(body, 'IDENTITY_REVOKED', true);
  if (context.pace.clamp(sender.name).allows === 'nothing') return refused(body, 'PACE_STOPPED');
  return { ...judged, refusal: messageRefusal(sender, publication, body, context) };
}

/** The central monitor sees what no single sidecar can; see `watch`. */
function contagionRefusal(review: Review | null): Refusal | null {
  if (review === null || review.verdict.outcome !== 'NO-GO') return null;
  const [lead] = review.verdict.findings;
  return { code: lead?.code ?? 'REVIEW_MISSING', drop: false, path: lead?.path ?? null };
}

/** Answers at once, unless the payload is sealed with a key that has to be opened first. */
function judge(
  sender: PeerIdentity,
  publication: Publication,
  context: AdmitContext,
): Judged | Promise<Judged> {
  const { mesh, clock, pace } = context;
  const nowMs = clock.nowMs();
  if (context.revocations.isRevoked(sender)) return refused(null, 'IDENTITY_REVOKED', true);
  if (pace.clamp(sender.name).allows === 'nothing') return refused(null, 'PACE_STOPPED');
  if (!context.rates.take(sender.name, nowMs)) return refused(null, 'BUS_RATE_LIMITED');
  // What is too long now may have been short enough under the version that it was signed under.
  const stale = staleRefusal(publication, context);
  const tooLarge = (code: string, drop: boolean): Judged => refused(null, stale?.code ?? code, drop && stale === null);
  if (!(publication.envelope.length <= mesh.limits.messageBytesMax * 2)) return tooLarge('BUS_TOO_LARGE', false);
  const verified = verifyEnvelope(
    publication.envelope,
    (thumbprint) => signerOf(thumbprint, sender, context),
    { bytesMax: mesh.limits.messageBytesMax, depthMax: mesh.limits.depthMax },
  );
  if (!verified.ok) {
    if (verified.code === 'IDENTITY_ENVELOPE_TOO_LARGE') return tooLarge(verified.code, true);
    const typeBroken = verified.code.startsWith('MESSAGE_TYPE_');
    return refused(null, verified.code, typeBroken || verified.code.startsWith('IDENTITY_'));
  }
  const { body, item } = verified;
  const domain = mesh.domains.get(body.domain);
  if (domain?.tier !== 'RETRIEVAL' && item === null) {
    return judgeOpen(body, sender, publication, context);
  }
  const opened = domain?.tier === 'RETRIEVAL'
    ? context.protection.open(body, item, domain) : openedClear(body, item);
  const judgeOpened = (read: Opened): Judged => read.ok
    ? { ...judgeOpen(read.body, sender, publication, context), kept: read.kept, newKey: read.newKey }
    : {
      body,
      refusal: headRefusal(sender, publication, body, context) ?? { code: read.code, drop: false },
    };
  return opened instanceof Promise ? opened.then(judgeOpened) : judgeOpened(opened);
}

function judgeOpen(
  body: EnvelopeBody,
  sender: PeerIdentity,
  publication: Publication,
  context: AdmitContext,
): Judged {
  return { body, refusal: messageRefusal(sender, publication, body, context) };
}

/** All that can be said against an authentic message, at this moment. */
function messageRefusal(
  sender: PeerIdentity,
  publication: Publication,
  body: EnvelopeBody,
  context: AdmitContext,
): Refusal | null {
  const { mesh, queue } = context;
  return (
    headRefusal(sender, publication, body, context) ??
    routeRefusal(body, context, sender) ??
    schemaRefusal(body, context) ??
    mandateRefusal(body, context) ??
    (hasRoom(body, mesh, queue) ? null : { code: 'BUS_QUEUE_FULL', drop: false })
  );
}

/** The connected identity, or the one it rotated from: same instance, still valid. */
function signerOf(
  thumbprint: string,
  sender: PeerIdentity,
  context: AdmitContext,
): PeerIdentity | null {
  if (thumbprint === sender.thumbprint) return sender;
  const earlier = context.identityOf(thumbprint);
  const rotated =
    earlier !== null &&
    earlier.spiffeId === sender.spiffeId &&
    context.clock.nowMs() < earlier.expiresAtMs;
  return rotated ? earlier : null;
}

function routeRefusal(
  body: EnvelopeBody,
  context: AdmitContext,
  sender: PeerIdentity,
): Refusal | null {
  const { mesh } = context;
  const from = mesh.agents.get(body.from);
  const to = mesh.agents.get(body.to);
  if (from === undefined || to === undefined) return { code: 'BUS_RECIPIENT_UNKNOWN', drop: false };
  if (usurpsPerson(body, from)) return { code: 'BUS_ORIGIN_FORGED', drop: true };
  if (!(body.hop <= hopsMax)) return { code: 'BUS_TASK_HOPS_EXCEEDED', drop: false };
  const paced = paceRefusal(body, context);
  if (paced !== null) return { code: paced, drop: false };
  return (
    spawnedRefusal(body, to, sender, context) ??
    domainRefusal(mesh.domains.get(body.domain), from, to, sender, context) ??
    edgeRefusal(body, mesh) ??
    (flowsTo(body.label.classification, to.clearance)
      ? null
      : { code: 'BUS_CLEARANCE_EXCEEDED', drop: false })
  );
}

/** Seed 003; the same decision that `MeshSecurityController` gives. */
function domainRefusal(
  domain: Domain | undefined,
  from: Agent,
  to: Agent,
  sender: PeerIdentity,
  { clock, attestor, protection }: AdmitContext,
): Refusal | null {
  const exchange = {
    credential: { issuedAtMs: sender.notBeforeMs, expiresAtMs: sender.expiresAtMs },
    roles: [from.role, to.role],
    attested: () => attestor.attested(sender),
  };
  return exchangeRefusal(domain, exchange, clock.nowMs(), protection);
}

function schemaRefusal(body: EnvelopeBody, context: AdmitContext): Refusal | null {
  const [first] = context.schemas.check(body.schema, body.type, body.payload);
  if (first === undefined) return null;
  return { code: first.code, drop: first.code !== 'SCAN_SCHEMA_UNKNOWN', path: first.path };
}

/** A chain that was never believed, or a second one for its task, is not passed on. */
function mandateRefusal(body: EnvelopeBody, context: AdmitContext): Refusal | null {
  const code = context.mandates.refusal(body);
  return code === null ? null : { code, drop: false };
}

/** The one exit: whatever was decided is recorded, and durable, before the sender hears of it. */
async function exit(
  sender: PeerIdentity,
  publication: Publication,
  { body, refusal, review, crossing, kept: keyKept, newKey }: Watched,
  context: AdmitContext,
  tookUs: number,
): Promise<Admission> {
  const verdicts = [review, crossing].flatMap((said) => said?.verdict ?? []);
  if (refusal === null && body !== null) {
    const signs = signEntries(body, review?.signs ?? [], context.clock);
    const kept = keepPayload(body, context.payloads);
    if (kept === 'unavailable') return { answer: 'refused', code: 'BUS_UNAVAILABLE', drop: false };
    // Counted before it is durable: what comes beside it is judged with it, and a text is counted once
    // too often rather than passed on once too often.
    review?.carried();
    // It asks for the key while the message is made durable, and not after it.
    if (newKey !== undefined) context.keyAhead(body.to, newKey);
    const [queued, ...others] = await Promise.allSettled([
      context.queue.enqueue(body, publication.envelope),
      context.recorder.record([
        publication.entry,
        admittedEntry(body, context, tookUs, verdicts),
        ...signs,
        ...(kept?.entries ?? []),
      ]),
      kept?.durable,
      keyKept,
      context.noteHandOver(body),
      context.mandates.register(body),
    ]);
    if (queued.status === 'fulfilled' && others.every(({ status }) => status === 'fulfilled')) {
      context.queue.release(queued.value);
      return { answer: 'accepted', message: queued.value };
    }
    if (queued.status === 'fulfilled') await context.queue.withdraw(queued.value, body.nonce);
    return { answer: 'refused', code: 'BUS_UNAVAILABLE', drop: false };
  }
  const code = refusal?.code ?? 'BUS_FRAME_MALFORMED';
  const drop = refusal?.drop ?? true;
  // Nothing was decided: it comes again under the version in force, and is recorded then.
  if (code === 'BUS_POLICY_STALE') return { answer: 'refused', code, drop };
  try {
    const refused = refusedEntries(sender, publication.envelope, body, refusal, context, tookUs, verdicts);
    await context.recorder.record([...refused, ...(crossing?.signs ?? [])]);
  } catch {
    // The refusal stands without its record; the recorder has already said that it is unavailable.
    return { answer: 'refused', code, drop };
  }
  return { answer: 'refused', code, drop };
}

function refused(body: EnvelopeBody | null, code: string, drop = false): Judged {
  return { body, refusal: { code, drop } };
}
