// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { SqliteDataKeyStore } from '../adapters/data-key-store-sqlite.ts';
import { hpkeKeyAgreement } from '../adapters/key-agreement-hpke.ts';
import { systemRandom } from '../adapters/random-system.ts';
import type { BatchedDatabase } from '../adapters/sqlite-batch.ts';
import type { Clock } from '../message/clock.ts';
import { EnforcementKeys } from '../protection/enforcement-keys.ts';
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
  },
): Promise<NodeKeys> {
  const { clock, database, live, log } = foundations;
  const report = (failure: unknown): void => log(`node: keys: ${faultOf(failure)}`);
  const keyFile = join(directory, 'kms.key');
  const kms = await NodeKms.open({ file: kmsFile, keyFile, random: systemRandom, clock, report });
  const dataKeys = new EnforcementKeys({
    agreement: hpkeKeyAgreement,
    kms,
    store: new SqliteDataKeyStore(database),
    clock,
    limits: () => live.mesh.limits,
    report,
  });
  kms.onReplaced(() => dataKeys.rewrapAll());
  const rewrap = kmsFile !== null;
  if (rewrap) await dataKeys.rewrapAll();
  return { kms, rewrap, dataKeys };
}
