// SPDX-License-Identifier: Apache-2.0
import type { AllotmentAnswer } from '../bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../bounds/ask.ts';
import type { AgentContext } from '../label/context.ts';
import type { IndexedValue } from '../label/value-index.ts';
import type { ActionOutcome } from '../message/action-request.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Hold } from '../oversight/hold.ts';
import type { ChangeRequest, NodeFrame, SpawnRequest } from '../wire/frame.ts';

/**
 * One run of an agent process. Its context starts clean and only grows; a new process is a new
 * incarnation with a new token. Tokens and session keys are stored as SHA-256 only.
 */
export type Incarnation = {
  readonly id: string;
  readonly tokenDigest: string;
  /** Null until the token was used; a second use ends the incarnation. */
  readonly sessionDigest: string | null;
  readonly endedAt: number | null;
  /** The token of the next incarnation, given out while this one may still live. */
  readonly next: { readonly id: string; readonly tokenDigest: string } | null;
};

export type InboxState =
  /** Waits for the agent to fetch it. */
  | 'pending'
  /** Handed to an incarnation, not yet acknowledged; handed again after a crash or to the next. */
  | 'handed'
  /** An action request being worked on; taken up again after a crash. */
  | 'working'
  /** An action request that waits for the judge; asked about again after a crash. */
  | 'judging'
  /** An action request that waits for people. */
  | 'held'
  | 'done'
  | 'refused';

/** A message this sidecar made durable, with the entry that says how it was received. */
export type InboxMessage = {
  readonly body: EnvelopeBody;
  readonly state: InboxState;
  readonly entries: readonly EntryDraft[];
  /** Incarnation it was handed to. */
  readonly incarnation: string | null;
  /** The answer, signed and kept before it is sent, so that a repeat is the same answer. */
  readonly reply: Reply | null;
};

export type Reply = {
  readonly envelope: SignedEnvelope;
  readonly entry: EntryDraft;
  /** SPIFFE id of the instance that signed it; another instance signs the outcome again. */
  readonly instance: string;
  readonly outcome: ActionOutcome;
};

/** A chain that came to the agent with a message, or that its operator handed it. */
export type HeldMandate = {
  readonly task: string;
  /** Whose right it shows: the agent that instructed, or the operator. */
  readonly principal: string;
  /** True when it was given to this agent, which may act under it. */
  readonly isOwn: boolean;
  readonly chain: string;
};

/** A chain that this agent passed on. */
export type GivenMandate = {
  readonly task: string;
  readonly delegate: string;
  readonly chain: string;
};

/**
 * The sidecar's durable state for its one agent. Every resolved write survives `kill -9`; reads see
 * writes at once.
 */
export interface SidecarStore {
  incarnation(): Incarnation | null;
  saveIncarnation(incarnation: Incarnation): Promise<void>;

  context(incarnation: string): AgentContext | null;
  values(incarnation: string): readonly IndexedValue[];
  /** What an incarnation holds for its tasks, oldest first. */
  mandates(incarnation: string): readonly HeldMandate[];
  /** What was passed on in a task, by any incarnation, oldest first. */
  givenMandates(task: string): readonly GivenMandate[];
  /** Resolves when it is durable; only then may the chain leave. */
  giveMandate(given: GivenMandate, nowMs: number): Promise<void>;

  /** Context, values, mandates and inbox states of one hand-over commit together. */
  absorb(change: {
    readonly incarnation: string;
    readonly context: AgentContext;
    readonly values: readonly IndexedValue[];
    readonly mandates: readonly HeldMandate[];
    readonly handed: readonly string[];
    /** Messages of this incarnation that the agent has dealt with. */
    readonly done: readonly string[];
    readonly entries: readonly EntryDraft[];
  }): Promise<void>;

  /**
   * Messages of this incarnation that the agent has dealt with. It goes with the next write, or by
   * itself a little later; whatever is read here afterwards shows it already.
   */
  finish(incarnation: string, done: readonly string[]): Promise<void>;

  /**
   * `isNew` is false for a message id received before: it is not delivered twice. `durable` resolves
   * when the message survives a crash; any later write of this store commits with it or after it.
   */
  receive(message: InboxMessage): { readonly isNew: boolean; readonly durable: Promise<void> };
  message(id: string): InboxMessage | null;
  messages(state: InboxState, limit: number): readonly InboxMessage[];
  setState(id: string, state: InboxState): Promise<void>;
  saveReply(id: string, reply: Reply): Promise<void>;

  /** Entries that wait to be recorded by the node; bounded, refuses when full. */
  spool(entries: readonly EntryDraft[]): Promise<void>;
  spooled(limit: number): readonly { readonly position: number; readonly entry: EntryDraft }[];
  unspool(positions: readonly number[]): Promise<void>;

  /** How allotted calls ended, until the owner of the bounds has heard it; oldest first. */
  queueReport(report: AllotmentReport): Promise<void>;
  reports(limit: number): readonly { readonly position: number; readonly report: AllotmentReport }[];
  dropReports(positions: readonly number[]): Promise<void>;

  /** Counts a refused action request against its task; resolves when the count is durable. */
  countRefusal(task: string, nowMs: number): Promise<void>;
  refusals(task: string): number;

  /** Drops acknowledged messages older than this. */
  prune(beforeMs: number): Promise<void>;
}

export type PublishAnswer =
  | { readonly accepted: true }
  | { readonly accepted: false; readonly code: string };

/**
 * The sidecar's connection to its bus node. It reconnects by itself and repeats what was not
 * answered; nothing here throws.
 */
export interface BusLink {
  /** Resolves with the node's answer, or `SIDECAR_BUS_UNREACHABLE` once the message has expired. */
  publish(publication: {
    readonly envelope: SignedEnvelope;
    readonly entry: EntryDraft;
    readonly expiresAt: number;
    readonly resend: boolean;
    /** Version of the policy that the message was judged under. */
    readonly policyVersion: number;
  }): Promise<PublishAnswer>;
  /**
   * Null when recorded durably, else the code; does not wait for a lost connection. A privileged
   * step is recorded only under the version of the policy that is in force at the node.
   */
  record(
    entries: readonly EntryDraft[],
    privileged: boolean,
    policyVersion: number,
  ): Promise<string | null>;
  /** Null once what an agent read is kept for custodians, or need not be; else why it is not. */
  keep(read: KeptRead): Promise<string | null>;
  /** Resolves when there is a line to the node, or soon after when there is none. */
  standing(): Promise<void>;
  /** False when there is no line to say it on: then the message comes again. */
  delivered(number: number, entries: readonly EntryDraft[]): boolean;
  /** The child, its approval, or why not; SIDECAR_BUS_UNREACHABLE when the node cannot be asked. */
  spawn(request: SpawnRequest): Promise<SpawnedAnswer | { readonly code: string }>;
  /** What became of a proposed change, or why not; SIDECAR_BUS_UNREACHABLE when nobody can be asked. */
  changeWorkflow(request: ChangeRequest): Promise<ChangedAnswer | { readonly code: string }>;
  /** How many children were ended; null when the node cannot be asked now. */
  endChild(child: string | null, task: string | null): Promise<number | null>;
  /** Null once every mandate for the task is void, and on record; else why it is not. */
  endTask(task: string): Promise<string | null>;
  /** The approval's id, or null when the node cannot be asked now. */
  hold(hold: Hold): Promise<string | null>;
  /** What the owner of the bounds answers, or null when it cannot be asked now. */
  allot(ask: AllotmentAsk): Promise<AllotmentAnswer | null>;
  /** True once the owner has all of them durably. */
  settle(reports: readonly AllotmentReport[]): Promise<boolean>;
}

/** An agent's own read, to be sealed in the log. */
export type KeptRead = {
  readonly call: string;
  readonly task: string;
  readonly tool: string;
  readonly operation: string;
  readonly payload: JsonObject;
};

export type SpawnedAnswer = Pick<
  Extract<NodeFrame, { kind: 'spawned' }>, 'child' | 'endsAt' | 'approval'
>;

export type ChangedAnswer = Pick<
  Extract<NodeFrame, { kind: 'changed' }>, 'state' | 'change' | 'version'
>;

export type Decided = Extract<NodeFrame, { kind: 'decided' }>;
