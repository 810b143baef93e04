// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { hpkeKeyAgreement } from '../adapters/key-agreement-hpke.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { Clock } from '../message/clock.ts';
import { EnforcementKeys } from '../protection/enforcement-keys.ts';
import type { EntryDraft, Recorder } from '../recorder/entry.ts';
import { faultOf } from './fault.ts';
import type { LivePolicy } from './live-policy.ts';
import { NodeKms } from './node-kms.ts';

/** What wraps the node's keys, and the data keys of its bus. */
export type NodeKeys = {
  readonly kms: NodeKms;
  /** Another KMS may have wrapped what is stored: it is wrapped again, so that one can be retired. */
  readonly rewrap: boolean;
  readonly dataKeys: EnforcementKeys;
};

export async function openNodeKeys(
  kmsFile: string | null,
  directory: string,
  foundations: {
    readonly clock: Clock;
    readonly database: BatchedDatabase;
    readonly live: LivePolicy;
    readonly log: (line: string) => void;
    readonly recorder: Recorder;
  },
): Promise<NodeKeys> {
  const { clock, database, live, log, recorder } = foundations;
  const report = (failure: unknown): void => log(`node: keys: ${faultOf(failure)}`);
  const left = (count: number): void => {
    log(`node: keys: KMS_STILL_NEEDED: ${count} under an earlier KMS`);
    recorder.record([leftEntry(count, clock.nowMs())]).catch(report);
  };
  const keyFile = join(directory, 'kms.key');
  const kms = await NodeKms.open({ file: kmsFile, keyFile, random: systemRandom, clock, report, left });
  const dataKeys = new EnforcementKeys({
    agreement: hpkeKeyAgreement,
    kms,
    store: new SqliteDataKeyStore(database),
    clock,
    limits: () => live.mesh.limits,
    report,
  });
  const rewrap = kmsFile !== null;
  await kms.keep(() => dataKeys.rewrapAll(), rewrap);
  return { kms, rewrap, dataKeys };
}

/** How many keys are under an earlier KMS, 0 once there is none. */
function leftEntry(count: number, at: number): EntryDraft {
  return {
    kind: 'indicator.raised',
    id: `kms.left.${count}.${at}`,
    at,
    actor: 'node',
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code: count === 0 ? null : 'KMS_STILL_NEEDED',
    verdicts: [],
    tookUs: null,
    detail: { indicator: 'KMS', left: count },
  };
}
