// SPDX-License-Identifier: Apache-2.0
import type { PeerIdentity } from '../identity/credential.ts';
import type { JsonObject } from '../message/json.ts';
import type { Hold } from '../oversight/hold.ts';
import type { NodeFrame } from '../wire/frame.ts';
import type { BoundsPort } from './bounds-frames.ts';
import type { CallsPort } from './calls-port.ts';
import type { KnowledgeFramePort } from './knowledge-frames.ts';
import type { LeasePort } from './line-leases.ts';
import type { PutAsidePort } from './put-aside.ts';
import type { RunPort } from './run.ts';
import type { SpawnPort } from './spawned.ts';
import type { ChangePort } from './workflow-frames.ts';

/** The socket of one connected sidecar, as the bus needs it. */
export type Line = {
  /**
   * Never throws; a frame to a closed line is dropped, and delivered again on the next line. Frames of one turn leave
   * together, at its end, or with an urgent one.
   */
  readonly send: (frame: NodeFrame, isUrgent?: boolean) => void;
  /** Ends the connection; the code is for the log of the other side. */
  readonly drop: (code: string) => void;
  /** Whether the other side still answers; false after two seconds, or once the line is gone. */
  readonly isAlive: () => Promise<boolean>;
};

/** What people and the authority do for a connection; the control plane implements it. */
export type ControlPort = BoundsPort & CallsPort & LeasePort & SpawnPort & RunPort & ChangePort &
  KnowledgeFramePort & PutAsidePort & {
  readonly boot: string;
  readonly operators: () => readonly { readonly name: string; readonly publicKey: JsonObject }[];
  readonly hold: (hold: Hold) => Promise<{ readonly approval: string }>;
  /** What people said of a held request, or null while it is pending or unknown. */
  readonly decided: (
    message: string,
    executor: string,
    digest: string,
  ) => Extract<NodeFrame, { kind: 'decided' }> | null;
  /** Null when the task is ended and on record, else why it is not. */
  readonly endTask: (agent: string, task: string) => Promise<string | null>;
  /**
   * The judge of this agent's sidecar said NO-GO to what had gone on in a task: nothing of it that
   * needs a mandate goes on, and what followed from the message is put aside. Whether the agent takes
   * part in it is the control plane's to know.
   */
  readonly refusedLate: (agent: string, task: string, message: string) => void;
  readonly renew: (peer: PeerIdentity, csr: string) => Promise<string | null>;
  /** Certificate chain by thumbprint, of identities this node issued; null when unknown. */
  readonly chainOf: (thumbprint: string) => string | null;
};
