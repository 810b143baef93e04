// SPDX-License-Identifier: Apache-2.0
import type { RiskClass } from '../mesh/mesh.ts';
import type { Finding, Outcome, Verdict } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import type { FirewallCode } from './codes.ts';
import { FirewallError } from './firewall-error.ts';
import { answersInTime, type Answers, type FirewallTiming } from './answers.ts';
import type { Channel, InjectionAnswer, InjectionModel } from './injection-model.ts';

export type FirewallThresholds = {
  /** Probability from which a text is escalated. */
  readonly escalateAt: number;
  /** Probability from which a text is refused. */
  readonly refuseAt: number;
  /** For all texts of one review together. */
  readonly timeoutMs: number;
};

export type FirewallReview = {
  readonly model: InjectionModel;
  readonly thresholds: FirewallThresholds;
  readonly texts: readonly string[];
  readonly channel: Channel;
  readonly risk: RiskClass;
  /** Must be there when a model is configured: a model without a deadline is refused. */
  readonly timing?: FirewallTiming;
};

const textsMax = 256;

/** Throws `FirewallError` FIREWALL_THRESHOLDS_INVALID; to be called once at start. */
export function checkThresholds(thresholds: FirewallThresholds): void {
  const { escalateAt, refuseAt, timeoutMs } = thresholds;
  if (escalateAt > 0 && escalateAt <= refuseAt && refuseAt <= 1 && timeoutMs > 0) return;
  throw new FirewallError('FIREWALL_THRESHOLDS_INVALID', 'The firewall thresholds are not usable.');
}

/**
 * The semantic firewall control: asks the model about every text and takes the worst answer. It
 * says GO without a model only when none is configured, and then its version says so. When a
 * configured model is late, absent or malformed, LOW and MEDIUM are escalated, HIGH and CRITICAL
 * refused. Never rejects.
 */
export async function reviewTexts(review: FirewallReview): Promise<Verdict> {
  const { model, timing, thresholds } = review;
  if (!model.configured) return verdict('none (not configured)', 0, 'GO', []);
  if (timing === undefined) {
    return verdict(model.name, 0, 'NO-GO', [finding('FIREWALL_UNBOUNDED', 'firewall/deadline')]);
  }
  const startedAtUs = timing.nowUs();
  const texts = review.texts.slice(0, textsMax);
  const answers = answersInTime({ model, texts, channel: review.channel }, timing, thresholds.timeoutMs);
  // What was answered at once is judged at once: other texts of this turn are no part of its time.
  const answered = answers instanceof Promise ? await answers : answers;
  const tookUs = Math.max(0, timing.nowUs() - startedAtUs);
  if (answered.late) return failure(review, model.name, tookUs, 'FIREWALL_LATE');
  return judge(review, answered.value, tookUs);
}

/** The surest refusal leads: one text that nobody could read does not soften another's verdict. */
function judge(review: FirewallReview, answers: Answers, tookUs: number): Verdict {
  const { model, thresholds, texts } = review;
  let version = model.name;
  let worst = 0;
  let failed: FirewallCode | null = texts.length > textsMax ? 'FIREWALL_TOO_MANY_TEXTS' : null;
  for (const answer of answers) {
    const code = codeOf(answer);
    if (code !== null) failed = code;
    if (code !== null || answer.status !== 'ok') continue;
    version = `${model.name} ${answer.version}`;
    worst = Math.max(worst, answer.probability);
  }
  if (!(worst < thresholds.refuseAt)) {
    return verdict(version, tookUs, 'NO-GO', [finding('FIREWALL_INJECTION', 'firewall/refuse-at')]);
  }
  if (failed !== null) return failure(review, version, tookUs, failed);
  if (worst < thresholds.escalateAt) return verdict(version, tookUs, 'GO', []);
  const suspect = finding('FIREWALL_SUSPECT', 'firewall/escalate-at');
  return verdict(version, tookUs, 'ESCALATE', [suspect]);
}

/** The type is a promise of the adapter's; what it really answers is looked at. */
function codeOf(answer: InjectionAnswer | null | undefined): FirewallCode | null {
  if (answer === null || answer === undefined) return 'FIREWALL_MALFORMED';
  if (answer.status === 'unavailable') return answer.code ?? 'FIREWALL_UNAVAILABLE';
  if (answer.status !== 'ok') return 'FIREWALL_MALFORMED';
  const { probability } = answer;
  const sound = typeof probability === 'number' && probability >= 0 && probability <= 1;
  return sound ? null : 'FIREWALL_MALFORMED';
}

function failure(
  review: FirewallReview,
  version: string,
  tookUs: number,
  code: FirewallCode,
): Verdict {
  const low = review.risk === 'LOW' || review.risk === 'MEDIUM';
  return verdict(version, tookUs, low ? 'ESCALATE' : 'NO-GO', [finding(code, 'firewall/model')]);
}

function verdict(
  version: string,
  tookUs: number,
  outcome: Outcome,
  findings: readonly Finding[],
): Verdict {
  return { outcome, control: 'semantic-firewall', version, tookUs, findings };
}
