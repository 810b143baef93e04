// SPDX-License-Identifier: Apache-2.0
import type { ContagionMonitor, Reached, Review, Sign } from '../contagion/monitor.ts';
import { charactersMax, type Text } from '../contagion/spans.ts';
import type { Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import { textsBeside } from '../message/beside-payload.ts';
import type { EnvelopeBody } from '../message/envelope.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Finding, Verdict } from '../review/verdict.ts';
import { isLongName, pointerTo, walkTexts } from '../scanner/structure.ts';
import type { SecondReading } from './second-reading.ts';

type WatchContext = {
  readonly mesh: Mesh;
  readonly clock: Clock;
  readonly contagion: ContagionMonitor;
};

const reachedShownMax = 100;

/** What the contagion monitor says of a message that passed everything else at the bus. */
export function watch(
  body: EnvelopeBody,
  account: EntryDraft,
  reading: SecondReading | null,
  { mesh, clock, contagion }: WatchContext,
): Review {
  const review = contagion.review({
    id: body.id,
    from: body.from,
    to: body.to,
    task: body.task,
    label: body.label,
    texts: body.label.integrity === 'untrusted' ? textsWithPaths(body, mesh) : [],
    verdicts: account.verdicts,
    probability: reading?.probability ?? null,
    unread: reading?.unread ?? false,
    atMs: clock.nowMs(),
  });
  if (mesh.mode !== 'observe' || review.verdict.outcome !== 'NO-GO') return review;
  return { ...review, verdict: { ...review.verdict, outcome: 'ESCALATE' } };
}

/** An entry for each sign that this message is; PACE reads them, nothing is refused for them. */
export function signEntries(
  body: EnvelopeBody,
  signs: readonly Sign[],
  clock: Clock,
): readonly EntryDraft[] {
  const told = new Map(signs.map((sign) => [sign.code, sign]));
  return [...told.values()].map((sign) =>
    indicator(`${body.id}.${sign.code}`, body, sign.code, clock, {
      agent: body.from,
      to: body.to,
      ...(sign.lineage === null ? {} : { lineage: sign.lineage }),
    }),
  );
}

/**
 * The recipient's own controls refused what the bus had let through: the texts that their findings
 * point at are stopped from now on, and who has them by now is put on record.
 */
export function convictRefused(
  recipient: string,
  entries: readonly EntryDraft[],
  { clock, contagion }: WatchContext,
): readonly EntryDraft[] {
  return entries.flatMap((entry) => {
    if (entry.message === null || entry.outcome !== 'NO-GO') return [];
    const against = findingsAgainst(entry.verdicts);
    if (against.length === 0) return [];
    return contagion.convict(entry.message, recipient, against).map((reached) =>
      convictionEntry(entry, reached, clock),
    );
  });
}

/** What says that a text is an attack; a wrong type or a secret says nothing about infection. */
function findingsAgainst(verdicts: readonly Verdict[]): readonly Finding[] {
  return verdicts.flatMap(({ outcome, control, findings }) => {
    if (outcome !== 'NO-GO') return [];
    return control === 'semantic-firewall'
      ? findings
      : findings.filter(({ code }) => code === 'SCAN_INJECTION');
  });
}

function convictionEntry(entry: EntryDraft, { lineage, messages }: Reached, clock: Clock): EntryDraft {
  const about = { id: entry.message ?? entry.id, task: entry.task };
  return indicator(`${about.id}.convicted.${lineage.id}`, about, 'CONTAGION_CONVICTED', clock, {
    lineage: lineage.id,
    patientZero: lineage.patientZero,
    origins: [...lineage.origins],
    generation: lineage.generation,
    reached: messages.length,
    messages: messages.slice(0, reachedShownMax).map((one) => ({ ...one })),
  });
}

function indicator(
  id: string,
  about: Pick<EnvelopeBody, 'id' | 'task'> | { readonly id: string; readonly task: string | null },
  code: string,
  clock: Clock,
  detail: EntryDraft['detail'],
): EntryDraft {
  return {
    kind: 'indicator.raised',
    id,
    at: clock.nowMs(),
    actor: 'node',
    task: about.task,
    message: about.id,
    causedBy: [about.id],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail,
  };
}

function textsWithPaths(body: EnvelopeBody, mesh: Mesh): readonly Text[] {
  const texts: Text[] = [];
  const bounds = { depthMax: mesh.limits.depthMax, membersMax: 20_000 };
  const limits = { ...bounds, stringLengthMax: Infinity, bytesMax: Infinity };
  let characters = 0;
  for (const said of [body.payload, textsBeside(body)]) {
    walkTexts(said, limits, (text, place) => {
      // Shorter ones hold no sentence that could be followed, and what comes after is not looked at.
      if (text.length < textLengthMin || characters > charactersMax) return;
      characters += text.length;
      texts.push({ path: pointerTo(place, isLongName), text });
    });
  }
  return texts;
}

const textLengthMin = 24;
