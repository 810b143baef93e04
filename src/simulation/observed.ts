// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, verify as verifySignature, type KeyObject } from 'node:crypto';
import type { Mesh } from '../mesh/mesh.ts';
import { actionOutcomeSchema, actionRequestSchema } from '../message/action-request.ts';
import type { EnvelopeBody, SignedEnvelope } from '../message/envelope.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import type { InboxMessage, SidecarStore } from '../sidecar/ports.ts';
import type { Intent, KeptCall } from '../tool/intent-store.ts';
import type { Identities } from './identities.ts';
import { overlay } from './overlay.ts';
import { atMost, perHourMax, verifiedPayees } from './simulated-mesh.ts';
import type { World } from './world.ts';

export type Guarantee = 'G1' | 'G2' | 'G3' | 'G4' | 'G5' | 'G6' | 'G7' | 'G8' | 'G9' | 'G10';

/** What held at no time, with where to look. */
export type Violation = { readonly guarantee: Guarantee; readonly what: string; readonly atMs: number };

/** Never in a record, a report or a finding: it stands in payloads alone. */
export const canary = 'CANARY-';

export type ToolCallSeen = {
  readonly agent: string;
  readonly tool: string;
  readonly operation: string;
  readonly arguments: JsonObject;
  readonly key: string;
  /** As the executor's own durable memory has it at this moment; null where it has none. */
  readonly kept: KeptCall | null;
  /** The request that the call is for; null for an agent's own read. */
  readonly request: EnvelopeBody | null;
  /** What the sidecar was told of PACE, now. */
  readonly allows: string;
};

/** Longer than this no call begins after a stop: the lease and what the wall clock may be off by. */
const leaseMs = 5_000;

/**
 * Watches a run from outside, and holds it to what is promised. It decides by what it saw itself (who
 * sent what, which tool was called with which values, what lies on the disks), never by what a component says.
 */
export class Observed {
  readonly violations: Violation[] = [];
  readonly #world: World;
  readonly #mesh: Mesh;
  readonly #identities: Identities;
  /** Values that a person gave, in any task: a process that serves two tasks has both. */
  readonly #prompted = new Set<JsonValue>();
  readonly #promptedTasks = new Set<string>();
  /** Task -> agents that it reached. */
  readonly #reached = new Map<string, Set<string>>();
  readonly #received = new Set<string>();
  readonly #nonces = new Set<string>();
  /** Message -> operators who approved it. */
  readonly approvals = new Map<string, Set<string>>();
  readonly accepted = new Map<string, EnvelopeBody>();
  readonly #lines: string[] = [];
  readonly #inLog = new Set<string>();
  readonly #reviewed = new Set<string>();
  readonly #intended = new Set<string>();
  readonly #acknowledged = new Set<string>();
  readonly #stoppedSince = new Map<string, number>();
  readonly #spent = new Map<string, number>();
  readonly #paid = new Set<string>();
  readonly #bumped = new Set<string>();
  readonly #effects = new Set<string>();
  readonly handed = new Map<string, ToolCallSeen>();
  readonly #publicKeys = new Map<KeyObject, KeyObject>();
  #paceVersion = 0;
  #revocationVersion = 0;

  constructor(world: World, mesh: Mesh, identities: Identities) {
    this.#world = world;
    this.#mesh = mesh;
    this.#identities = identities;
  }

  violated(guarantee: Guarantee, what: string): void {
    this.violations.push({ guarantee, what, atMs: this.#world.nowMs });
  }

  /** What a person said is said when it leaves: a crash may keep the answer from whoever sent it. */
  published(envelope: SignedEnvelope): void {
    const body = bodyOf(envelope);
    const isPrompt = body !== null && this.#mesh.agents.get(body.from)?.originator === true && body.schema === 'order/1';
    if (isPrompt && isJsonObject(body.payload)) this.#prompt(body.task, body.payload);
  }

  #prompt(task: string, values: JsonObject): void {
    for (const value of Object.values(values)) this.#prompted.add(value);
    this.#promptedTasks.add(task);
    const reached = this.#reached.get(task) ?? new Set();
    this.#reached.set(task, reached.add('desk'));
  }

  /** G1, G3: what gets into an inbox and is not refused there. */
  store(agent: string, store: SidecarStore): SidecarStore {
    return overlay(store, {
      receive: (message: InboxMessage) => {
        const received = store.receive(message);
        if (received.isNew && message.state !== 'refused') {
          this.#admitted(agent, message.body);
          const { id, from, nonce } = message.body;
          // What a crash takes before it is durable was not received.
          received.durable.then(() => {
            this.#received.add(`${agent} ${id}`);
            this.#nonces.add(`${agent} ${from} ${nonce}`);
          }, () => undefined);
        }
        return received;
      },
    });
  }

  /** G8, G10: what was said to be on record has to be in the log, for good. */
  recorder(recorder: Recorder): Recorder {
    return {
      record: async (entries, options) => {
        const receipts = await recorder.record(entries, options);
        for (const entry of entries) if (isKept(entry)) this.#acknowledged.add(entry.id);
        return receipts;
      },
    };
  }

  /** A sidecar's publication was acknowledged to it: the message may not get lost any more. */
  publicationAccepted(envelope: SignedEnvelope): void {
    const body = bodyOf(envelope);
    if (body !== null) this.accepted.set(body.id, body);
  }

  /** G1: what was taken has to be signed by whom it names, whatever anybody else made of it. */
  taken(agent: string, envelope: SignedEnvelope): void {
    const body = bodyOf(envelope);
    const known = body === null ? [] : (this.#identities.agents.get(body.from) ?? []);
    const end = envelope.lastIndexOf('.');
    const bytes = Buffer.from(envelope.slice(0, end));
    const signature = Buffer.from(envelope.slice(end + 1), 'base64url');
    const signer = known.find(({ spiffeId }) => spiffeId === body?.instance);
    const isSigned = signer !== undefined && verifySignature(null, bytes, this.#publicOf(signer.privateKey), signature);
    if (!isSigned) this.violated('G1', `${agent} took a message that its sender did not sign`);
  }

  #publicOf(key: KeyObject): KeyObject {
    const known = this.#publicKeys.get(key) ?? createPublicKey(key);
    this.#publicKeys.set(key, known);
    return known;
  }

  #admitted(agent: string, body: EnvelopeBody): void {
    const { id, from, to, schema, payload, nonce, label, task, domain } = body;
    const edges = this.#mesh.edges.filter((edge) => edge.from === from && edge.to === to && edge.domain === domain);
    const isTyped = schema === actionOutcomeSchema || (schema === actionRequestSchema
      ? edges.some(({ mayRequest }) => isJsonObject(payload) && mayRequest.some((one) => one === payload['action']))
      : edges.some(({ schemas }) => schemas.includes(schema)) && fits(schema, payload));
    if (to !== agent) this.violated('G1', `${agent} took a message for ${to}`);
    if (!isTyped) this.violated('G1', `${agent} took a ${schema} of ${from} that no edge lets pass`);
    if (this.#received.has(`${agent} ${id}`)) this.violated('G1', `${agent} took ${id} twice`);
    if (this.#nonces.has(`${agent} ${from} ${nonce}`)) this.violated('G1', `${agent} took a nonce twice`);
    if (label.classification === 'restricted') this.violated('G1', `${agent} took what is above its clearance`);
    if (this.#world.nowMs > body.expiresAt + skewMsMax) this.violated('G1', `${agent} took a message long expired`);
    const isExecutor = this.#mesh.agents.get(agent)?.role === 'EXECUTOR';
    if (isExecutor && schema !== actionRequestSchema) this.violated('G3', `${agent} was given a ${schema}`);
    const reached = this.#reached.get(task) ?? new Set();
    this.#reached.set(task, reached.add(agent));
  }

  /** G2, G4 to G7, G10: every call, at the moment when a tool is handed it. */
  toolCalled(call: ToolCallSeen): void {
    const { agent, key, kept, request, operation } = call;
    const intent = kept?.intent ?? null;
    if (intent === null || kept?.outcome !== null) {
      this.violated('G2', `${agent} called ${operation} without an open intent`);
    }
    const stoppedSince = this.#stoppedSince.get(agent);
    if (call.allows === 'nothing') this.violated('G7', `${agent} called ${operation} and knew that it is stopped`);
    if (stoppedSince !== undefined && this.#world.nowMs > stoppedSince + leaseMs) {
      this.violated('G7', `${agent} called ${operation} ${this.#world.nowMs - stoppedSince} ms after it was stopped`);
    }
    if (intent?.action !== null && intent !== null && request !== null) this.#acted(call, intent, request);
    if (intent?.write === true) this.handed.set(key, call);
  }

  #acted({ agent, arguments: given }: ToolCallSeen, intent: Intent, request: EnvelopeBody): void {
    const action = intent.action ?? '';
    const { risk, requestId } = intent;
    const mayRequest = this.#mesh.edges.some((edge) =>
      edge.from === request.from && edge.to === agent && edge.mayRequest.includes(action));
    if (!mayRequest) this.violated('G4', `${request.from} may not ask ${agent} for ${action}`);
    // In a task of its own an agent has no mandate: LOW at most.
    const reached = this.#reached.get(request.task);
    const isGiven = this.#promptedTasks.has(request.task) ? reached?.has(request.from) === true : risk === 'LOW';
    if (!isGiven) this.violated('G4', `${request.from} has ${action} (${risk}) done in a task that it was never given`);
    const approvers = this.approvals.get(requestId)?.size ?? 0;
    if (approvers === 0) this.#sourced(given);
    const isPrivileged = risk === 'HIGH' || risk === 'CRITICAL';
    if (isPrivileged && !(this.#reviewed.has(requestId) && this.#intended.has(requestId))) {
      this.violated('G6', `${action} (${risk}) began before review and intent were on record`);
    }
    const needed = risk === 'CRITICAL' ? 2 : action === 'refund' ? 1 : 0;
    if (approvers < needed) this.violated('G6', `${action} ran with ${approvers} of ${needed} persons`);
  }

  #sourced({ payee, amount }: JsonObject): void {
    const isKnown = typeof payee !== 'string' || verifiedPayees.includes(payee) || this.#prompted.has(payee);
    if (!isKnown) this.violated('G5', 'a payee ran that nobody named but a hostile text');
    const isBounded = typeof amount !== 'number' || amount <= atMost || this.#prompted.has(amount);
    if (!isBounded) this.violated('G5', 'an amount ran that nobody named and no bound allows');
  }

  /** What a tool did. The bank does it once for a key; the counter each time. */
  effect({ operation, arguments: given, kept, key }: ToolCallSeen): void {
    this.#effects.add(key);
    if (operation === 'bump') {
      if (this.#bumped.has(key)) this.violated('G10', 'a call whose end a crash hid ran again');
      this.#bumped.add(key);
    }
    const action = kept?.intent.action ?? '';
    if (operation !== 'transfer' || this.#paid.has(key)) return;
    this.#paid.add(key);
    const { amount } = given;
    const spent = (this.#spent.get(action) ?? 0) + (typeof amount === 'number' ? amount : 0);
    this.#spent.set(action, spent);
    if (spent > perHourMax) this.violated('G4', `${action} paid ${spent} where ${perHourMax} an hour is the cap`);
  }

  hadEffect(key: string): boolean {
    return this.#effects.has(key);
  }

  /** G9: what is said to operators. */
  said(text: string): void {
    if (text.includes(canary)) this.violated('G9', 'a report held what it was about');
  }

  /** After every step: the log, and what the node holds to. */
  look(log: readonly string[], node: NodeView | null): void {
    this.#readLog(log);
    if (node === null) return;
    if (node.paceVersion < this.#paceVersion) this.violated('G10', 'PACE went back to an older version');
    if (node.revocationVersion < this.#revocationVersion) this.violated('G10', 'a revocation was forgotten');
    this.#paceVersion = node.paceVersion;
    this.#revocationVersion = node.revocationVersion;
    for (const agent of this.#mesh.agents.keys()) {
      if (node.allows(agent) !== 'nothing') this.#stoppedSince.delete(agent);
      else if (!this.#stoppedSince.has(agent)) this.#stoppedSince.set(agent, this.#world.nowMs);
    }
  }

  /** Once everything that was broken works again, and time has passed. */
  atTheEnd(isKept: (body: EnvelopeBody) => boolean): void {
    for (const body of this.accepted.values()) {
      if (!isKept(body)) this.violated('G10', `an admitted message for ${body.to} is nowhere`);
    }
    for (const id of this.#acknowledged) {
      if (!this.#inLog.has(id)) this.violated('G8', `${id} was said to be on record, and is not`);
    }
  }

  #readLog(log: readonly string[]): void {
    const before = this.#lines;
    const isCut = log.length < before.length;
    const last = before.length - 1;
    // The last line seen stands for those before it: the log only grows, and each was compared once.
    if (isCut || (last >= 0 && log[last] !== before[last])) this.violated('G8', 'the log was cut or rewritten');
    for (const line of log.slice(before.length)) {
      before.push(line);
      if (line.includes(canary)) this.violated('G9', 'an entry held what it was about');
      this.#readEntry(JSON.parse(line) as EntryDraft);
    }
  }

  #readEntry({ id, kind, message, outcome }: EntryDraft): void {
    this.#inLog.add(id);
    if (message === null) return;
    if (kind === 'request.reviewed' && outcome === 'GO') this.#reviewed.add(message);
    if (kind === 'tool.intent') this.#intended.add(message);
  }

  get entries(): number {
    return this.#lines.length;
  }
}

/** What the node goes by at one moment. */
export type NodeView = {
  readonly paceVersion: number;
  readonly revocationVersion: number;
  readonly allows: (agent: string) => string;
};

const skewMsMax = 10_000;

/** Refusals and indicators may be folded into a count, by design; the rest may not. */
function isKept({ kind }: EntryDraft): boolean {
  return kind !== 'message.refused' && kind !== 'indicator.raised' && kind !== 'identity.refused' &&
    kind !== 'tool.refused';
}

function fits(schema: string, payload: JsonValue): boolean {
  if (!isJsonObject(payload) || typeof payload['text'] !== 'string') return false;
  const allowed = schema === 'note/1' ? ['text'] : ['text', 'payee', 'amount', 'name'];
  return Object.keys(payload).every((key) => allowed.includes(key));
}

function bodyOf(envelope: SignedEnvelope): EnvelopeBody | null {
  try {
    return JSON.parse(Buffer.from(envelope.split('.')[1] ?? '', 'base64url').toString()) as EnvelopeBody;
  } catch {
    // No body: whoever took it did what it must not.
    return null;
  }
}
