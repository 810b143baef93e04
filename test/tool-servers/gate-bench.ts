// SPDX-License-Identifier: Apache-2.0
import type { ToolManifest } from '../../src/mesh/mesh.ts';
import type { JsonValue } from '../../src/message/json.ts';
import type { PaceClamp } from '../../src/pace/pace-view.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { combine, finding } from '../../src/review/verdict.ts';
import type { CombinedVerdict, Outcome } from '../../src/review/verdict.ts';
import type { AdmissionFields, AdmittedRequest } from '../../src/tool/admitted.ts';
import { createAdmission } from '../../src/tool/admitted.ts';
import type { Gate, GateContext } from '../../src/tool/gate.ts';
import { createGate } from '../../src/tool/gate.ts';
import type { ToolAnswer, ToolCall } from '../../src/tool/tool-runner.ts';
import { MemoryIntentStore } from './intent-store-memory.ts';

const outputSchema = {
  type: 'object',
  properties: { status: { enum: ['paid', 'refused'] } },
  required: ['status'],
};

const bank: ToolManifest = {
  name: 'bank',
  runner: { kind: 'function', module: '/none' },
  guarded: true,
  results: new Map([['transfer.status', { integrity: 'internal', classification: 'internal' }]]),
  operations: new Map(
    [
      { name: 'transfer', write: true, idempotent: false, timeoutMs: 1000 },
      { name: 'transfer_once', write: true, idempotent: true, timeoutMs: 1000 },
      { name: 'history', write: false, idempotent: false, timeoutMs: 1000 },
    ].map((operation) => [operation.name, operation] as const),
  ),
  pins: null,
};

export const payment: AdmissionFields = {
  id: 'request-1',
  executor: 'payments',
  requester: 'triage',
  action: 'pay_invoice',
  tool: 'bank',
  operation: 'transfer',
  arguments: { payee: 'ACME' },
  beginBeforeMs: 9e15,
  standing: () => null,
  idempotencyKey: 'k1',
  risk: 'HIGH',
  write: true,
  outputSchema,
  timeoutMs: 500,
  task: 'task-1',
  privileged: true,
};

export const read: AdmissionFields = {
  ...payment,
  id: 'read-1',
  idempotencyKey: 'read-key',
  action: null,
  operation: 'history',
  risk: 'LOW',
  write: false,
  outputSchema: null,
  privileged: false,
};

/** A gate among fakes: each test changes one of them. */
export class Bench {
  readonly calls: ToolCall[] = [];
  readonly entries: EntryDraft[] = [];
  readonly timeline: string[] = [];
  readonly admission = createAdmission();
  readonly intents = new MemoryIntentStore();
  allows: PaceClamp['allows'] = 'all';
  recorderFails = false;
  isCurrent: () => boolean = () => true;
  guarded = true;
  expire: (() => void) | null = null;
  leased = true;
  aborted: () => 'ended' | 'told' = () => 'told';
  answer: () => Promise<ToolAnswer> = async () => ({ status: 'done', value: { status: 'paid' } });
  review: () => Promise<CombinedVerdict> = async () => verdict('GO');

  gate(change: Partial<GateContext> = {}): Gate {
    return createGate({
      agent: 'payments',
      isCurrent: () => this.isCurrent(),
      tools: new Map([['bank', { ...bank, guarded: this.guarded }]]),
      runners: new Map(
        [['bank', { start: async () => [], call: this.#call, close: async () => {}, abort: () => this.aborted() }]],
      ),
      admission: this.admission,
      pace: { clamp: () => ({ phase: 'PRIMARY', allows: this.allows }) },
      lease: { isValid: () => this.leased },
      clock: { nowMs: () => 1000 },
      random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
      deadline: {
        start: () => {
          const { promise, resolve } = Promise.withResolvers<void>();
          this.expire = resolve;
          return { expired: promise, cancel: () => {} };
        },
      },
      intents: this.intents,
      recorder: { record: this.#record },
      bounds: { sizeMax: 10_000, depthMax: 16 },
      review: () => this.review(),
      ...change,
    });
  }

  async ready(change: Partial<GateContext> = {}): Promise<Gate> {
    const gate = this.gate(change);
    await gate.recover();
    return gate;
  }

  admit(change: Partial<AdmissionFields> = {}, base: AdmissionFields = payment): AdmittedRequest {
    return this.admission.admit({ ...base, ...change });
  }

  readonly kinds = (): readonly string[] => this.entries.map((entry) => entry.kind);

  readonly #call = async (call: ToolCall): Promise<ToolAnswer> => {
    this.timeline.push('call');
    this.calls.push(call);
    return this.answer();
  };

  readonly #record = async (entries: readonly EntryDraft[]) => {
    if (this.recorderFails) throw new Error('disk full');
    for (const entry of entries) {
      this.timeline.push(entry.kind);
      this.entries.push(entry);
    }
    return entries.map((_entry, sequence) => ({ sequence }));
  };
}

export function verdict(outcome: Outcome): CombinedVerdict {
  const findings = outcome === 'GO' ? [] : [finding('SCAN_SECRET', 'test')];
  return combine([{ outcome, control: 'scanner', version: '1', tookUs: 1, findings }]);
}

export function done(value: JsonValue): ToolAnswer {
  return { status: 'done', value };
}

export function nested(levels: number): JsonValue {
  let value: JsonValue = 1;
  for (let level = 0; level < levels; level += 1) value = [value];
  return value;
}
