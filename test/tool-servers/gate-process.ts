// SPDX-License-Identifier: Apache-2.0
import { DatabaseSync } from 'node:sqlite';
import { timerDeadline } from '../../src/adapters/tool-deadline.ts';
import { SqliteIntentStore } from '../../src/adapters/tool-intents-sqlite.ts';
import { stdioToolRunner } from '../../src/adapters/tool-mcp-stdio.ts';
import type { ToolManifest } from '../../src/mesh/mesh.ts';
import type { EntryDraft } from '../../src/recorder/entry.ts';
import { combine } from '../../src/review/verdict.ts';
import type { AdmissionFields, Admission } from '../../src/tool/admitted.ts';
import { createAdmission } from '../../src/tool/admitted.ts';
import type { Gate } from '../../src/tool/gate.ts';
import { createGate } from '../../src/tool/gate.ts';
import type { ToolRunner } from '../../src/tool/tool-runner.ts';
import { hostileManifest, serverDirectory } from './hostile-manifest.ts';

export type RealGate = {
  readonly gate: Gate;
  readonly admission: Admission;
  readonly runner: ToolRunner;
  readonly entries: EntryDraft[];
  readonly database: DatabaseSync;
};

/** A gate with a real store and a real tool process, as a sidecar has it. */
export function realGate(databasePath: string, manifest: ToolManifest): RealGate {
  const { runner: kind } = manifest;
  const clock = { nowMs: () => Date.now() };
  const entries: EntryDraft[] = [];
  const admission = createAdmission();
  const database = new DatabaseSync(databasePath);
  const runner = stdioToolRunner({
    manifest,
    command: kind.kind === 'stdio' ? kind.command : [],
    env: {},
    directory: serverDirectory,
    identity: null,
    messageBytesMax: 1024 * 1024,
    startTimeoutMs: 10_000,
    pins: 'enforce',
    clock,
    onIndicator: () => {},
  });
  const gate = createGate({
    agent: 'payments',
    isCurrent: () => true,
    tools: new Map([[manifest.name, manifest]]),
    runners: new Map([[manifest.name, runner]]),
    admission,
    pace: { clamp: () => ({ phase: 'PRIMARY', allows: 'all' }) },
    lease: { isValid: () => true },
    clock,
    random: { bytes: (count) => crypto.getRandomValues(new Uint8Array(count)) },
    deadline: timerDeadline,
    intents: new SqliteIntentStore(database),
    recorder: {
      record: async (drafts) => {
        entries.push(...drafts);
        return drafts.map((_draft, sequence) => ({ sequence }));
      },
    },
    bounds: { sizeMax: 100_000, depthMax: 32 },
    review: async () => combine(
      [{ outcome: 'GO', control: 'scanner', version: '1', tookUs: 0, findings: [] }],
    ),
  });
  return { gate, admission, runner, entries, database };
}

export const writeFields: AdmissionFields = {
  id: 'request-1',
  executor: 'payments',
  requester: 'triage',
  action: 'pay_invoice',
  tool: 'hostile',
  operation: 'act',
  arguments: { x: 1 },
  beginBeforeMs: 9e15,
  standing: () => null,
  idempotencyKey: 'k1',
  risk: 'HIGH',
  write: true,
  outputSchema: { type: 'object', properties: { status: { enum: ['ok'] } }, required: ['status'] },
  timeoutMs: 10_000,
  task: null,
  privileged: true,
};

/** `node gate-process.ts DATABASE COUNT-FILE`: one call to a tool that hangs, to be killed in. */
if (import.meta.main) {
  const [, , databasePath = '', countFile = ''] = process.argv;
  const { gate, admission } = realGate(databasePath, hostileManifest('hang', countFile));
  await gate.recover();
  await gate.call(admission.admit(writeFields));
}
