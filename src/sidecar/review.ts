// SPDX-License-Identifier: Apache-2.0
import { reviewTexts } from '../firewall/firewall.ts';
import { channelReadAs } from '../firewall/read-as.ts';
import { textsToRead } from '../firewall/texts-to-read.ts';
import type { Channel } from '../firewall/injection-model.ts';
import type { Classification, Integrity, MessageType } from '../message/envelope.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { bandFor, stricterBand } from '../mesh/firewall-settings.ts';
import { deselectedVersion, deselectionOf } from '../mesh/deselection.ts';
import type { RiskClass } from '../mesh/mesh.ts';
import type { Verdict } from '../review/verdict.ts';
import { textsOf } from '../scanner/structure.ts';
import type { SidecarContext } from './context.ts';

export type Content = {
  readonly value: JsonValue;
  /** Of a message: what its agent says beside the payload; see `textsBeside`. Absent and null are nothing. */
  readonly beside?: JsonObject | null;
  /** Null where no message schema applies: tool arguments and tool results. */
  readonly schemaId: string | null;
  readonly type: MessageType | null;
  readonly channel: Channel;
  readonly classification: Classification;
  readonly risk?: RiskClass;
  /** Sender, recipient and task, where a text may be one part of several. */
  readonly stream?: string;
  /** Of a tool's result: what no third party could choose orders nobody, and is not read. */
  readonly integrity?: Integrity;
  /** The agent of this sidecar says it. */
  readonly leaves?: boolean;
  readonly towardsPerson?: boolean;
};

/** What the content controls work with, wherever they read. */
export type ReviewContext = Pick<SidecarContext, 'scanner' | 'firewall'> & {
  readonly mesh: Pick<SidecarContext['mesh'], 'mode' | 'firewall' | 'deselected'>;
};

/**
 * The content controls side by side (seed 000): each runs to its end, none filters for another. In
 * `mode: observe` their refusals are recorded as they are and turned into GO by the caller's policy,
 * never those that guard types and schemas.
 */
export async function reviewContent(
  content: Content,
  context: ReviewContext,
): Promise<readonly Verdict[]> {
  const { beside = null } = content;
  const scanned = context.scanner.scan(content);
  const aside = beside === null ? []
    : [context.scanner.scan({ ...content, value: beside, schemaId: null, type: null })];
  const read = await readTexts(content, context);
  const verdicts = [scanned, read, ...aside];
  return context.mesh.mode === 'observe' ? verdicts.map(observed) : verdicts;
}

/** The semantic firewall, unless the mesh file switched it off: then nothing reads, and that is said. */
function readTexts(content: Content, context: ReviewContext): Promise<Verdict> {
  const { firewall } = context.mesh;
  const off = deselectionOf(context.mesh, 'semantic-firewall');
  if (off !== null) {
    const version = deselectedVersion(off);
    return Promise.resolve({
      outcome: 'GO', control: 'semantic-firewall', version, tookUs: 0, findings: [],
    });
  }
  const { model } = context.firewall;
  const { classification, integrity = 'untrusted' } = content;
  const isRead = model.configured && integrity === 'untrusted';
  const said = [content.value, ...Object.values(content.beside ?? {})];
  const texts = isRead ? textsToRead(said.flatMap(textsOf)) : [];
  const channel = channelReadAs(content.channel, texts);
  const bandOf = (one: typeof channel) => bandFor(firewall, one, classification);
  // As what a text is read is its writer's choice, and loosens nothing that an operator set for where it came from.
  const band = stricterBand(bandOf(content.channel), bandOf(channel));
  return reviewTexts({
    ...context.firewall,
    thresholds: { ...band, timeoutMs: firewall.timeoutMs },
    texts,
    channel,
    risk: content.risk ?? 'LOW',
  });
}

/** Structure and type stay enforced in a trial; opinions about content are only written down. */
function observed(verdict: Verdict): Verdict {
  const structural = verdict.findings.filter((finding) => /^(SCAN_(SCHEMA|TYPE|FREE|STRUCT)|MESSAGE_)/.test(finding.code));
  if (verdict.outcome !== 'NO-GO' || structural.length > 0) return verdict;
  return { ...verdict, outcome: 'ESCALATE' };
}
