// SPDX-License-Identifier: Apache-2.0
import type { AllotmentAnswer } from '../bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../bounds/ask.ts';
import type { RevocationUpdate } from '../identity/revocation.ts';
import type { GivenItem, KnowledgeAsk } from '../knowledge/asks.ts';
import type { WorkflowChange } from '../mesh/workflow-change.ts';
import type { Classification, Integrity, Isolation, SignedEnvelope } from '../message/envelope.ts';
import type { DoubtfulCall } from '../message/doubtful-call.ts';
import type { JsonObject } from '../message/json.ts';
import type { NewKey } from '../protection/protection.ts';
import type { Release } from '../protection/release.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import type { Hold } from '../oversight/hold.ts';
import type { StoppedCall } from '../pace/stopped-call.ts';

/** Pieces of one frame; each is at most 32 KiB before base64. */
export const keptPiecesMax = 20;

/** Starts of one sidecar that are remembered. */
export const runsMax = 64;

/** What a parent asks for; null members mean all that template and parent have. */
export type SpawnRequest = {
  readonly template: string;
  /** The only task that the child takes part in. */
  readonly task: string;
  readonly lifetimeMs: number | null;
  readonly tools: readonly string[] | null;
  readonly requests: readonly string[] | null;
  readonly clearance: Classification | null;
  /** Chosen by the parent; the same key asks for the same child. */
  readonly key: string;
  /** Run of the agent process that asks: the child ends with it. Null: an operator asked. */
  readonly incarnation: string | null;
};

/** What an orchestrator proposes, with what its sidecar knows about it. */
export type ChangeRequest = {
  readonly change: WorkflowChange;
  /** A task that the agent takes part in. */
  readonly task: string;
  /** Chosen by the agent; the same key asks about the same change. */
  readonly key: string;
  /** Version of the policy that it was judged under. */
  readonly policyVersion: number;
  /** Of all that the agent's process has read. */
  readonly integrity: Integrity;
  /** The mandate that the agent holds in the task. */
  readonly mandate: string | null;
};

/** What a sidecar sends to its bus node, one JSON text per WebSocket message. */
export type SidecarFrame =
  | {
      readonly kind: 'hello';
      readonly meshDigest: string;
      /** 0 where the sidecar has only the mesh file, and has not heard its version yet. */
      readonly policyVersion: number;
      readonly isolation: Isolation;
      /** Runs of this sidecar's state directory, its own last; at most `runsMax`. */
      readonly runs: readonly string[];
      /** Of the first lease, which is answered as number 0. */
      readonly nonce: string;
    }
  | {
      readonly kind: 'publish';
      readonly number: number;
      /** Version of the policy that the sidecar judged the message under. */
      readonly policyVersion: number;
      readonly envelope: SignedEnvelope;
      readonly entry: EntryDraft;
      /** Repeats a publication of an earlier connection whose answer never came. */
      readonly resend: boolean;
    }
  | {
      readonly kind: 'delivered';
      readonly number: number;
      readonly entries: readonly EntryDraft[];
    }
  | {
      readonly kind: 'record';
      readonly number: number;
      readonly privileged: boolean;
      /** Version of the policy that the step was judged under. */
      readonly policyVersion: number;
      readonly entries: readonly EntryDraft[];
    }
  /**
   * Keeps what an agent read through a tool of its own, sealed in the log, where payloads are kept: parts
   * of its canonical form from `first` on, base64. Answered by `recorded`.
   */
  | {
      readonly kind: 'keep';
      readonly number: number;
      readonly read: {
        readonly call: string;
        readonly task: string;
        readonly tool: string;
        readonly operation: string;
      };
      readonly first: number;
      readonly parts: number;
      readonly pieces: readonly string[];
    }
  | { readonly kind: 'hold'; readonly number: number; readonly hold: Hold }
  /** Asks the owner of the bounds, before a tool runs. */
  | { readonly kind: 'allot'; readonly number: number; readonly ask: AllotmentAsk }
  | {
      readonly kind: 'settle';
      readonly number: number;
      readonly reports: readonly AllotmentReport[];
    }
  | { readonly kind: 'renew'; readonly number: number; readonly csr: string }
  /** Asks for the key that data keys are sealed to. */
  | { readonly kind: 'bus-key'; readonly number: number }
  /** Asks for a data key with a `ReleaseRequest`, signed by this identity. */
  | { readonly kind: 'release'; readonly number: number; readonly signed: string }
  /** A read or write of the agent's memory, or a query; answered by `known`. */
  | { readonly kind: 'knowledge'; readonly number: number; readonly ask: KnowledgeAsk }
  | { readonly kind: 'spawn'; readonly number: number; readonly request: SpawnRequest }
  /** Proposes a change to a workflow, for the agent of this sidecar. */
  | { readonly kind: 'change'; readonly number: number; readonly request: ChangeRequest }
  /** Ends a child of this agent, or all that it has in a task. */
  | {
      readonly kind: 'end-child';
      readonly number: number;
      readonly child: string | null;
      readonly task: string | null;
    }
  /** The agent that started a task says that it is over; answered by `recorded`. */
  | { readonly kind: 'end-task'; readonly number: number; readonly task: string }
  /**
   * Asks for a lease for the time when this version holds in the sidecar; `hello` asks for the first
   * one. The nonce comes back signed, so that nobody answers with an older lease.
   */
  | {
      readonly kind: 'lease';
      readonly number: number;
      readonly policyVersion: number;
      readonly nonce: string;
    }
  /** PACE of this version holds here: what was stopped for it, and whether anything still runs. */
  | {
      readonly kind: 'clamped';
      readonly paceVersion: number;
      readonly busy: boolean;
      readonly calls: readonly StoppedCall[];
    }
  /** The calls of this executor that are in doubt, as the node asked. */
  | { readonly kind: 'calls'; readonly number: number; readonly calls: readonly DoubtfulCall[] }
  /** What became of an operator's settlement: null where it holds. */
  | { readonly kind: 'call-settled'; readonly settlement: string; readonly code: string | null }
  /** What became of a call that was to be undone for this incident. */
  | {
      readonly kind: 'call-undone';
      readonly call: string;
      readonly incident: string;
      readonly status: 'DONE' | 'REFUSED' | 'IN-DOUBT' | 'FAILED';
      readonly code: string | null;
    }
  /** What became of a version that the node sent: it holds here, or why not. */
  | { readonly kind: 'policy'; readonly version: number; readonly code: string | null };

/** What a bus node sends to a sidecar. */
export type NodeFrame =
  | {
      readonly kind: 'welcome';
      readonly boot: string;
      readonly meshDigest: string;
      readonly policyVersion: number;
      readonly operators: readonly { readonly name: string; readonly publicKey: JsonObject }[];
    }
  | { readonly kind: 'accepted'; readonly number: number }
  | { readonly kind: 'refused'; readonly number: number; readonly code: string }
  | {
      readonly kind: 'deliver';
      readonly number: number;
      readonly envelope: SignedEnvelope;
      /** The sender's certificate chain, PEM; sent once per connection and thumbprint, else null. */
      readonly chain: string | null;
    }
  | { readonly kind: 'recorded'; readonly number: number; readonly code: string | null }
  | { readonly kind: 'held'; readonly number: number; readonly approval: string }
  | { readonly kind: 'known'; readonly number: number; readonly items: readonly GivenItem[] }
  /**
   * Messages that follow from what a judge refused late or an operator put aside, and runs of the agent
   * that read of it.
   */
  | {
      readonly kind: 'quarantine';
      readonly messages: readonly string[];
      readonly incarnations: readonly string[];
    }
  | {
      readonly kind: 'decided';
      readonly message: string;
      readonly approval: string;
      /** `modified`: the request is to be judged anew, with the change that the last one signed. */
      readonly outcome: 'approved' | 'denied' | 'expired' | 'modified';
      /** Operators' signed decisions; the sidecar verifies each one itself. */
      readonly decisions: readonly string[];
    }
  | {
      readonly kind: 'spawned';
      readonly number: number;
      /** Null while people have not decided. */
      readonly child: string | null;
      readonly spiffeId: string | null;
      readonly endsAt: number | null;
      readonly approval: string | null;
    }
  | { readonly kind: 'ended-child'; readonly number: number; readonly count: number }
  /** A proposed change: it waits for a person, or made this version of the policy. */
  | {
      readonly kind: 'changed';
      readonly number: number;
      readonly state: 'held' | 'effective';
      readonly change: string;
      readonly version: number | null;
    }
  | { readonly kind: 'list-calls'; readonly number: number }
  /** An operator's signed word on a call in doubt, by the id of the statement; sent until answered. */
  | { readonly kind: 'settle-call'; readonly settlement: string; readonly signed: string }
  /** Asks the executor to undo a call: `signed` is the kill that the incident is. Sent until answered. */
  | {
      readonly kind: 'undo-call';
      readonly call: string;
      readonly incident: string;
      readonly signed: string;
    }
  | { readonly kind: 'allotted'; readonly number: number; readonly answer: AllotmentAnswer }
  /** Every report of the frame is durable, or none counts as heard. */
  | { readonly kind: 'settled'; readonly number: number; readonly code: string | null }
  | { readonly kind: 'renewed'; readonly number: number; readonly chain: string }
  | { readonly kind: 'bus-key'; readonly number: number; readonly publicKey: string }
  | ({ readonly kind: 'released'; readonly number: number } & Release)
  /** A message for this agent is being made durable under a data key that was never released to it. */
  | ({ readonly kind: 'key-ahead' } & NewKey)
  /** Before the welcome all that still matters, in parts; then every step as it is applied. */
  | ({ readonly kind: 'revocations' } & RevocationUpdate)
  /** A `LeaseGrant` under the signature of the node; the chain once per connection, else null. */
  | {
      readonly kind: 'lease';
      readonly number: number;
      readonly signed: string;
      readonly chain: string | null;
      /** `delivered` frames of this line whose entries are on record, from the first without a gap. */
      readonly accounts: number;
    }
  /** A version of the policy, as JSON of `PolicyVersion` cut into parts, in order. */
  | {
      readonly kind: 'policy';
      readonly version: number;
      readonly part: number;
      readonly parts: number;
      readonly text: string;
    };

/** What a node asks an executor about calls that it made. */
export type CallsFrame = Extract<NodeFrame, { kind: 'list-calls' | 'settle-call' | 'undo-call' }>;
