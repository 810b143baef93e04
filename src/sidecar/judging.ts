// SPDX-License-Identifier: Apache-2.0
import type { JudgeQuestion, Ruling } from '../judge/judge.ts';
import { doubted, sampleRate, senderNow } from '../judge/sampling.ts';
import { ruledEntries, type Asker, type RulingMode } from '../judge/ruling-entries.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { SidecarContext } from './context.ts';
import type { HeldRuling } from './judged.ts';

const dayMs = 86_400_000;

export type JudgingOptions = {
  readonly context: () => SidecarContext;
  /** A held request goes on with what was said about it. */
  readonly ruled: (id: string, held: HeldRuling) => void;
  /** What was delivered or done turned out to be wrong. */
  readonly refusedLate: (question: JudgeQuestion, ruling: Ruling) => Promise<void>;
};

/**
 * Puts questions to the judge without keeping anybody else waiting. A held request waits on disk, in
 * the inbox, and the judge's own line is bounded, so ten thousand escalations take neither memory nor
 * the turn of a request that needs no judge. What is judged after the fact waits on disk too, and is
 * asked about one by one.
 */
export class Judging {
  readonly #options: JudgingOptions;
  #working = false;

  constructor(options: JudgingOptions) {
    this.#options = options;
  }

  /** The message is held durably; its ruling comes back through `ruled`, and always comes. */
  hold(question: JudgeQuestion, context: SidecarContext): void {
    const { version } = context.policy;
    context.judge
      .rule(question)
      .then(async (ruling) => {
        await record(question, ruling, 'held', context);
        this.#options.ruled(question.id, { ruling, policyVersion: version });
      })
      .catch((failure: unknown) => context.report(failure));
  }

  /**
   * For what goes on although a control escalated it: a share of it by class, which rises with what is known of
   * whoever sent it (facts c: adaptive sampling).
   */
  async later(question: JudgeQuestion, context: SidecarContext): Promise<void> {
    const { judge, judgeMemory, clock, mesh } = context;
    if (!judge.configured || judgeMemory === null || mesh.judge === undefined) return;
    const { low = 0, medium = 0, messages = 0, first: firstActions = 0 } = mesh.judge?.sampling ?? {};
    const share = question.kind === 'message' ? messages : question.risk === 'LOW' ? low : medium;
    const first = question.kind === 'message' ? null : firstActions;
    const nowMs = clock.nowMs();
    const known = judgeMemory.sender(question.from);
    const sender = senderNow(known, modelOf(question.from, mesh), first, nowMs);
    const isNews = known === null || known.seen !== sender.seen || known.model !== sender.model;
    if (isNews && share > 0) await judgeMemory.saveSender(question.from, sender);
    const suspectUntil = judgeMemory.suspectUntil(question.from);
    if (!(uniform(context) < sampleRate(share, sender, { suspectUntil, first, nowMs }))) return;
    if (await judgeMemory.queue(question, clock.nowMs())) return this.resume();
    await context.recorder.record([unjudged(question, context)]);
  }

  /** Takes up what waits to be judged; called at start and whenever something was added. */
  resume(): void {
    if (this.#working) return;
    this.#working = true;
    this.#work()
      .catch((failure: unknown) => this.#options.context().report(failure))
      .finally(() => {
        this.#working = false;
      });
  }

  async #work(): Promise<void> {
    for (;;) {
      const context = this.#options.context();
      const { judge, judgeMemory, clock } = context;
      const [question] = judge.configured ? judgeMemory?.questions(1) ?? [] : [];
      if (question === undefined || judgeMemory === null) return;
      const ruling = await judge.rule(question);
      await record(question, ruling, 'late', context);
      if (ruling.verdict.outcome === 'NO-GO') {
        await judgeMemory.suspect(question.from, clock.nowMs() + dayMs);
        await this.#options.refusedLate(question, ruling);
      } else if (ruling.calls.some(({ outcome }) => outcome === 'ESCALATE')) {
        const sender = judgeMemory.sender(question.from);
        if (sender !== null) await judgeMemory.saveSender(question.from, doubted(sender, clock.nowMs()));
      }
      await judgeMemory.answered(question.id);
    }
  }
}

/** What an agent thinks with, as the mesh file says it; null where it says nothing. */
function modelOf(agent: string, { agents }: SidecarContext['mesh']): string | null {
  const { model = null, modelFamily = null } = agents.get(agent) ?? {};
  return model === null && modelFamily === null ? null : JSON.stringify([model?.url, model?.name, modelFamily]);
}

/** In [0, 1). */
function uniform({ random }: SidecarContext): number {
  const [a = 255, b = 255, c = 255, d = 255] = random.bytes(4);
  return (((a * 256 + b) * 256 + c) * 256 + d) / 2 ** 32;
}

/** As this sidecar puts its questions on record. */
export function askerOf({ agent, clock, random }: SidecarContext): Asker {
  return {
    actor: `sidecar:${agent.name}`,
    nowMs: clock.nowMs(),
    nonce: Buffer.from(random.bytes(6)).toString('hex'),
  };
}

async function record(
  question: JudgeQuestion,
  ruling: Ruling,
  mode: RulingMode,
  context: SidecarContext,
): Promise<void> {
  await context.recorder.record(ruledEntries(question, ruling, mode, askerOf(context)));
}

function unjudged(question: JudgeQuestion, { agent, clock }: SidecarContext): EntryDraft {
  return {
    kind: 'judge.ruled',
    id: `${question.id}.judge.full`,
    at: clock.nowMs(),
    actor: `sidecar:${agent.name}`,
    task: question.task,
    message: question.id,
    causedBy: [question.id],
    outcome: 'ESCALATE',
    code: 'JUDGE_OVERLOADED',
    verdicts: [],
    tookUs: null,
    detail: { risk: question.risk, mode: 'late' },
  };
}
