// SPDX-License-Identifier: Apache-2.0
import type { Clock, Random } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { JsonValue } from '../message/json.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { AdmissionFields, Admission, AdmittedRequest } from './admitted.ts';
import type { ToolCode } from './codes.ts';
import { endEntry, intentEntry, repeatedBy, type EntryStamp } from './gate-entries.ts';
import { withoutResult, type Decision, type GateOutcome } from './gate-outcome.ts';
import { leavesAllowed, type EgressOf } from './egress.ts';
import { createGateMemory, type AskedBefore, type GateMemory, type PriorEnd, type RunningCall } from './gate-memory.ts';
import { controlResult, type ResultControls } from './gate-result.ts';
import { paceRefusal, type GateStanding } from './gate-standing.ts';
import type { DoubtfulIntent, Intent, IntentStore } from './intent-store.ts';
import { callDigest, intentKey, intentOf } from './intent-store.ts';
import { LastWord } from './last-word.ts';
import { labelResult } from './result-label.ts';
import type { ToolAnswer, ToolRunner } from './tool-runner.ts';

/** Resolves after `afterMs`, unless it was cancelled; the only timer of the gate. */
export type Deadline = {
  start(afterMs: number): { readonly expired: Promise<void>; cancel(): void };
};

export type GateContext = ResultControls & GateStanding & {
  readonly runners: ReadonlyMap<string, ToolRunner>;
  readonly admission: Pick<Admission, 'spend'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly deadline: Deadline;
  readonly intents: IntentStore;
  readonly recorder: Recorder;
  /** False once a newer version of the policy is in force than the one the caller judged under. */
  readonly isCurrent: () => boolean;
  /** Absent: no agent is limited in whom it reaches. */
  readonly egressOf?: EgressOf;
};

export type Gate = {
  /** Never rejects. The request is spent, whatever comes of it. */
  call(request: AdmittedRequest): Promise<GateOutcome>;
  /**
   * Turns every call that a crash interrupted into IN-DOUBT (writes) or FAILED (reads) and records
   * it; nothing is called before this has resolved. Rejects when the store cannot be read or
   * written.
   */
  recover(): Promise<readonly DoubtfulIntent[]>;
  /** Writes whose effect nobody knows, for people to settle at the tool. */
  inDoubt(): readonly DoubtfulIntent[];
  /**
   * How the write of this very request ended, where a crash kept its answer from being sent; null
   * when it was not called or is under way. A store that cannot be read is a doubt.
   */
  endOf(request: AskedBefore): PriorEnd | null;
  /** As of the store: throws where it cannot be read. */
  readonly isFollowedBy: IntentStore['isFollowedBy'];
  /**
   * Stops every call under way: their tools are killed or told, a write among them is IN-DOUBT. Says
   * which they were. What is not handed to its tool yet never is, once PACE allows nothing.
   */
  abort(): readonly StoppedCall[];
  isBusy(): boolean;
};

/** The runner has its own timeout; this much later the gate no longer waits for the runner. */
const runnerGraceMs = 250;

export function createGate(context: GateContext, memory = createGateMemory()): Gate {
  return new ToolGate(context, memory);
}

/**
 * The only code that calls a tool (G2). One call reads from top to bottom in `#decide`; `call` is
 * its one exit, and that exit records. EC-2.1, AT-2.5.
 */
class ToolGate implements Gate {
  readonly #context: GateContext;
  readonly #memory: GateMemory;

  constructor(context: GateContext, memory: GateMemory) {
    this.#context = context;
    this.#memory = memory;
  }

  async call(request: AdmittedRequest): Promise<GateOutcome> {
    const startedUs = performance.now() * 1000;
    const refusal = this.#refusal(request);
    const intent = refusal?.known === false ? null : intentOf(request, this.#context.clock.nowMs());
    const decision =
      refusal !== null || intent === null
        ? refused(refusal?.code ?? 'TOOL_NOT_ADMITTED')
        : await this.#once(request, intent);
    return this.#exit(intent, decision, performance.now() * 1000 - startedUs);
  }

  async recover(): Promise<readonly DoubtfulIntent[]> {
    const { intents } = this.#context;
    if (this.#memory.ready) return intents.inDoubt();
    for (const intent of intents.openIntents()) {
      if (intent.write) await intents.markInDoubt(intent.key, 'TOOL_INTERRUPTED');
      else {
        const end = withoutResult('FAILED', 'TOOL_INTERRUPTED');
        await this.#record(endEntry(intent, end, this.#stamp(), null), intent);
        await intents.forget(intent.key);
      }
    }
    await this.#recordKnownEnds();
    this.#memory.ready = true;
    return intents.inDoubt();
  }

  readonly isFollowedBy: Gate['isFollowedBy'] = (...asked) => this.#context.intents.isFollowedBy(...asked);

  inDoubt(): readonly DoubtfulIntent[] {
    return this.#context.intents.inDoubt();
  }

  isBusy(): boolean {
    return this.#memory.running.size > 0;
  }

  abort(): readonly StoppedCall[] {
    const stopped: StoppedCall[] = [];
    for (const { intent, stop } of this.#memory.running.values()) {
      // Not under way at a tool: the last look before the call turns it away.
      if (stop === null) continue;
      const { tool, operation, write, requestId: call } = intent;
      const end = this.#context.runners.get(tool)?.abort() ?? 'told';
      stop({ status: write ? 'unknown' : 'failed', reason: 'TOOL_ABORTED' });
      stopped.push({ call, tool, operation, write, end });
    }
    return stopped;
  }

  endOf({ requester, idempotencyKey, requestId }: AskedBefore): PriorEnd | null {
    try {
      const key = intentKey(this.#context.agent, requester, idempotencyKey);
      const kept = this.#context.intents.find(key);
      if (kept === null || kept.intent.requestId !== requestId) return null;
      const { intent, outcome, code } = kept;
      if (outcome !== null) {
        return { decision: this.#repeated(intent, outcome.result), mayRepeat: false, intent };
      }
      if (code === null || !intent.write) return null;
      return { decision: doubt(code), mayRepeat: this.#isIdempotent(intent), intent };
    } catch {
      // It may have been done: saying that it was refused would invite a second request.
      return { decision: doubt('TOOL_STORE_UNAVAILABLE'), mayRepeat: true, intent: null };
    }
  }

  /** `known: false` where nothing that the caller says about the request may be believed. */
  #refusal(request: AdmittedRequest): { readonly code: string; readonly known: boolean } | null {
    const { agent, admission } = this.#context;
    const clamped = paceRefusal(this.#context);
    if (!admission.spend(request) || request.fields.executor !== agent) {
      return { code: 'TOOL_NOT_ADMITTED', known: false };
    }
    const { fields } = request;
    if (clamped !== null && (fields.write || clamped !== 'PACE_READ_ONLY')) {
      return { code: clamped, known: true };
    }
    if (!this.#memory.ready) return { code: 'TOOL_GATE_NOT_READY', known: true };
    const code = this.#manifestRefusal(fields);
    return code === null ? null : { code, known: true };
  }

  #manifestRefusal(fields: AdmissionFields): ToolCode | null {
    const tool = this.#context.tools.get(fields.tool);
    const operation = tool?.operations.get(fields.operation);
    if (tool === undefined || operation === undefined || !this.#context.runners.has(fields.tool)) {
      return 'TOOL_UNKNOWN';
    }
    if (operation.write && !fields.write) return 'TOOL_WRITE_UNDECLARED';
    const dangerous = fields.risk === 'HIGH' || fields.risk === 'CRITICAL';
    if (dangerous && !tool.guarded) return 'TOOL_UNGUARDED';
    const { egressOf = () => null } = this.#context;
    const leaves = leavesAllowed(fields.arguments, [fields.executor, fields.requester], egressOf);
    return leaves ? null : 'TOOL_EGRESS_DENIED';
  }

  /** Two requests with one key share one call: the second waits for the end of the first. */
  async #once(request: AdmittedRequest, intent: Intent): Promise<Decision> {
    const running = this.#memory.running.get(intent.key);
    if (running !== undefined) {
      return running.digest === callDigest(intent) ? running.end : refused('TOOL_KEY_REUSED');
    }
    const { promise: end, resolve, reject } = Promise.withResolvers<Decision>();
    const call: RunningCall = { digest: callDigest(intent), end, intent, stop: null };
    this.#memory.running.set(intent.key, call);
    this.#decide(request, call).then(resolve, reject);
    try {
      return await end;
    } finally {
      this.#memory.running.delete(intent.key);
    }
  }

  async #decide(request: AdmittedRequest, running: RunningCall): Promise<Decision> {
    const { intent } = running;
    const begun = await this.#begin(intent);
    if (begun.next === 'stop') return begun.decision;
    if (!(await this.#recordIntent(intent, request.fields))) {
      return this.#withdraw(intent, begun.doubtful, 'TOOL_NOT_RECORDED');
    }
    const last = new LastWord(request.fields, this.#context);
    const answer = last.mayBegin() ? await this.#run(request, last, running) : null;
    if (answer === null || last.code !== null) {
      return this.#withdraw(intent, begun.doubtful, last.code ?? 'TOOL_STANDING_UNKNOWN');
    }
    const decision = await controlResult(request.fields, answer, this.#context, this.#memory.schemas);
    return this.#settle(intent, decision, begun.doubtful);
  }

  /** Durable before anything else happens; what is known already is not done twice. */
  async #begin(
    intent: Intent,
  ): Promise<
    | { readonly next: 'call'; readonly doubtful: string | null }
    | { readonly next: 'stop'; readonly decision: Decision }
  > {
    const { intents } = this.#context;
    let mayBeDone = false;
    try {
      const begun = await intents.begin(intent);
      switch (begun.state) {
        case 'new':
          return { next: 'call', doubtful: null };
        case 'done':
          return { next: 'stop', decision: this.#repeated(intent, begun.outcome.result) };
        case 'running':
          // Open, and not under way here: its end was not durable. A read may be repeated.
          if (!intent.write) return { next: 'call', doubtful: null };
          return { next: 'stop', decision: doubt('TOOL_CALL_RUNNING') };
        case 'reused':
          return { next: 'stop', decision: refused('TOOL_KEY_REUSED') };
        case 'in-doubt':
          if (!this.#isIdempotent(intent)) return { next: 'stop', decision: doubt(begun.code) };
          mayBeDone = true;
          await intents.reopen(intent.key, intent.at);
          return { next: 'call', doubtful: begun.code };
        default:
          return begun satisfies never;
      }
    } catch {
      // Without a durable intent nothing is called, so nothing was done now.
      const end = mayBeDone ? doubt : refused;
      return { next: 'stop', decision: end('TOOL_STORE_UNAVAILABLE') };
    }
  }

  #isIdempotent(intent: Intent): boolean {
    const tool = this.#context.tools.get(intent.tool);
    return tool?.operations.get(intent.operation)?.idempotent === true;
  }

  #repeated(intent: Intent, result: JsonValue): Decision {
    const tool = this.#context.tools.get(intent.tool);
    if (tool === undefined) return refused('TOOL_UNKNOWN');
    const labelled = labelResult(result, tool, intent.operation);
    return { status: 'DONE', code: null, result, verdicts: [], ...labelled };
  }

  /** A write waits for its record, a privileged call also when it reads; other reads go on. */
  async #recordIntent(intent: Intent, { verdicts }: AdmissionFields): Promise<boolean> {
    const recorded = this.#record(intentEntry(intent, this.#stamp(), verdicts), intent);
    return intent.write || intent.privileged ? recorded : true;
  }

  async #withdraw(intent: Intent, doubtful: string | null, code: string): Promise<Decision> {
    try {
      if (doubtful === null) await this.#context.intents.forget(intent.key);
      else await this.#context.intents.markInDoubt(intent.key, doubtful);
    } catch {
      // The intent stays open on disk and becomes IN-DOUBT at the next start; nothing was called now.
      const end = doubtful === null ? refused : doubt;
      return end('TOOL_STORE_UNAVAILABLE');
    }
    return doubtful === null ? refused(code) : doubt(doubtful);
  }

  async #run(
    request: AdmittedRequest,
    last: LastWord,
    running: RunningCall,
  ): Promise<ToolAnswer> {
    const { fields } = request;
    const { tools, runners, deadline } = this.#context;
    const operation = tools.get(fields.tool)?.operations.get(fields.operation);
    const runner = runners.get(fields.tool);
    if (operation === undefined || runner === undefined) {
      return { status: 'failed', reason: 'TOOL_UNKNOWN' };
    }
    const timeoutMs = Math.min(fields.timeoutMs, operation.timeoutMs);
    const stopped = Promise.withResolvers<ToolAnswer>();
    running.stop = stopped.resolve;
    const late = deadline.start(timeoutMs + runnerGraceMs);
    const call = {
      operation: fields.operation,
      arguments: fields.arguments,
      idempotencyKey: intentOf(request, 0).key,
      timeoutMs,
      mayBegin: () => last.mayBegin(),
    };
    try {
      return await Promise.race([
        runner.call(call),
        stopped.promise,
        late.expired.then((): ToolAnswer => ({ status: 'unknown', reason: 'TOOL_TIMEOUT' })),
      ]);
    } catch {
      // A runner that breaks its contract may have called the tool before it broke.
      return { status: 'unknown', reason: 'TOOL_DIED' };
    } finally {
      running.stop = null;
      late.cancel();
    }
  }

  async #settle(intent: Intent, decision: Decision, doubtful: string | null): Promise<Decision> {
    const { intents } = this.#context;
    try {
      if (intent.write && decision.status === 'DONE') {
        const at = this.#context.clock.nowMs();
        await intents.settle(intent.key, { status: 'DONE', result: decision.result, at });
        return decision;
      }
      if (decision.status === 'IN-DOUBT') {
        await intents.markInDoubt(intent.key, decision.code ?? 'TOOL_DIED');
        return decision;
      }
      // Nothing was done this time, which says nothing about the earlier, doubtful call.
      if (doubtful === null) await intents.forget(intent.key);
      else await intents.markInDoubt(intent.key, doubtful);
      return doubtful === null ? decision : doubt(doubtful);
    } catch {
      // A read has no effect to lose; a write whose outcome is not durable is IN-DOUBT.
      return intent.write ? doubt('TOOL_STORE_UNAVAILABLE') : decision;
    }
  }

  /** The one exit. The end of a write is durable already, and recorded later if not now. */
  async #exit(intent: Intent | null, decision: Decision, tookUs: number): Promise<GateOutcome> {
    const repeats = repeatedBy(intent, this.#context.intents);
    const entry = endEntry(intent, decision, this.#stamp(), tookUs, repeats);
    const recorded = await this.#record(entry, intent);
    if (intent?.write === true && (decision.status === 'DONE' || decision.status === 'IN-DOUBT')) {
      if (recorded) await this.#markRecorded(intent);
      else this.#memory.endsToRecord = true;
    }
    if (recorded && this.#memory.endsToRecord) await this.#recordKnownEnds();
    return { ...decision, entry: entry.id };
  }

  /** Ends that are durable here and that the recorder did not take, or lost with a crash. */
  async #recordKnownEnds(): Promise<void> {
    this.#memory.endsToRecord = false;
    for (const { intent, end, code } of this.#context.intents.unrecorded()) {
      if (this.#memory.running.has(intent.key)) continue;
      const decision: Decision = end === 'done' ? { ...doubt(null), status: 'DONE' } : doubt(code);
      const entry = endEntry(intent, decision, this.#stamp(), null);
      if (await this.#record(entry, intent)) await this.#markRecorded(intent);
      else this.#memory.endsToRecord = true;
    }
  }

  async #record(entry: EntryDraft, intent: Intent | null): Promise<boolean> {
    try {
      await this.#context.recorder.record([entry], { privileged: intent?.privileged ?? false });
      return true;
    } catch {
      // Each caller decides what a missing record means for its step.
      return false;
    }
  }

  async #markRecorded(intent: Intent): Promise<void> {
    try {
      await this.#context.intents.markRecorded(intent.key, intent.requestId);
    } catch {
      // It is recorded once more after the next start; the recorder knows the entry's id.
      this.#memory.endsToRecord = true;
    }
  }

  #stamp(): EntryStamp {
    const { clock, random, agent } = this.#context;
    return { id: mintUlid(clock, random), at: clock.nowMs(), agent };
  }
}

function refused(code: string): Decision {
  return withoutResult('REFUSED', code);
}

function doubt(code: string | null): Decision {
  return withoutResult('IN-DOUBT', code);
}
