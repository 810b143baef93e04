// SPDX-License-Identifier: Apache-2.0
import type { ClientOptions } from 'ws';
import type { Credential } from '../identity/credential.ts';
import type { Instant } from '../identity/lease.ts';
import type { RevocationUpdate } from '../identity/revocation.ts';
import type { Isolation } from '../message/envelope.ts';
import type { Clock } from '../message/clock.ts';
import type { PolicyVersion } from '../mesh/policy-version.ts';
import type { Decided } from '../sidecar/ports.ts';
import type { CallsFrame, NodeFrame, SidecarFrame } from '../wire/frame.ts';
import { frameBytesMax } from '../wire/parse-frame.ts';

export type BusClientOptions = {
  readonly host: string;
  readonly port: number;
  /** Whom to trust as the node; asked for every connection. */
  readonly bundlePem: () => string;
  readonly nodeSpiffeId: string;
  readonly credential: () => Credential;
  /** What the sidecar runs on; version 0 while it knows only its mesh file. */
  readonly policy: () => { readonly digest: string; readonly version: number };
  readonly isolation: Isolation;
  /** Runs of the state directory, this one last. */
  readonly runs: readonly string[];
  readonly clock: Clock;
  /** Both clocks; a lease counts from when it was asked for. */
  readonly now: () => Instant;
  /** 128 random bits, for the question whether a lease is fresh. */
  readonly mintNonce: () => string;
  readonly events: BusClientEvents;
};

export type BusClientEvents = {
  readonly welcome: (frame: Extract<NodeFrame, { kind: 'welcome' }>) => void;
  readonly deliver: (frame: Extract<NodeFrame, { kind: 'deliver' }>) => void;
  readonly decided: (frame: Decided) => void;
  /** These follow from what a judge refused late. */
  readonly quarantine: (messages: readonly string[], incarnations: readonly string[]) => void;
  readonly calls: (frame: CallsFrame, send: (frame: SidecarFrame) => void) => void;
  readonly revocations: (update: RevocationUpdate) => void;
  /** A version is under way; nothing more is to begin under an older one. */
  readonly announced: (version: number) => void;
  /** The version is there; `answer` says that it holds here, or why it does not. */
  readonly policy: (policy: PolicyVersion, answer: (code: string | null) => void) => void;
  /** `accounts`: deliveries of this line whose accounts are on record, from the first on. */
  readonly lease: (answer: LeaseAnswer, accounts: number) => void;
  /** The connection ended or could not be made; it is tried again unless `fatal`. */
  readonly lost: (code: string, fatal: boolean) => void;
};

/** A signed lease, with what it answers; `asked` is null where nobody asked. */
export type LeaseAnswer = {
  readonly signed: string;
  readonly chain: string | null;
  readonly asked: { readonly at: Instant; readonly version: number; readonly nonce: string } | null;
};

/**
 * Of the WebSocket. Frames are masked with zero, which is no work at either end (RFC 6455, section 5.3):
 * masks keep what a web page sends from looking like HTTP to a proxy, and within mutual TLS there is
 * none to deceive.
 */
export const lineOptions = {
  perMessageDeflate: false,
  maxPayload: frameBytesMax,
  handshakeTimeout: 5_000,
  generateMask: (mask) => void mask.fill(0),
} as const satisfies ClientOptions;
