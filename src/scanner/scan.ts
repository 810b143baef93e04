// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, type KeyObject } from 'node:crypto';
import type { UserPattern } from '../mesh/mesh.ts';
import { defaultScannerSettings } from '../mesh/scanner-settings.ts';
import type { ScannerSettings } from '../mesh/scanner-settings.ts';
import type { Channel } from '../message/channel.ts';
import type { Classification, MessageType } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { Verdict } from '../review/verdict.ts';
import { CleanTexts } from './clean-texts.ts';
import { DataFragments } from './data-fragments.ts';
import { digestKeyOf } from './finding-list.ts';
import type { GradedFinding } from './finding-list.ts';
import { maskValue } from './mask.ts';
import type { Masked } from './mask.ts';
import { outputRules } from './output-rows.ts';
import { personalRules } from './personal-words.ts';
import { injectionRules } from './patterns.ts';
import { PromptFingerprint } from './prompt-leak.ts';
import type { Rule } from './rule.ts';
import { RuleEngine } from './rule-engine.ts';
import { Scan } from './scan-pass.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { secretRules } from './secrets.ts';
import type { StructureLimits } from './structure.ts';
import type { TableSeed } from './tail-table.ts';
import type { LinearRule } from './user-patterns.ts';
import { compileLinearRules } from './user-patterns.ts';

export type ScannerConfig = {
  readonly schemas: SchemaRegistry;
  readonly limits: StructureLimits;
  readonly patterns: readonly UserPattern[];
  /** Data policy, rule packs and suppressions of the mesh file; absent means the defaults. */
  readonly settings?: ScannerSettings;
  /** Instructions of the agent whose sidecar this is; absent means that none are known. */
  readonly ownPrompt?: string | null;
  /** Key of the digests in findings; of this process, so that equal matches are seen as equal. */
  readonly digestKey: Uint8Array;
  /** Monotonic microseconds, for the time that a verdict says it took. */
  readonly nowUs: () => number;
  /** Wall clock; without it no suppression holds, since none can be seen to end. */
  readonly nowMs?: () => number;
  /** Steps that every scan may take beside what its texts allow (`Effort`); absent means the default. */
  readonly stepsAtLeast?: number;
};

export type ScanInput = {
  readonly value: JsonValue;
  /** Null where no message schema applies: tool arguments and tool results. */
  readonly schemaId: string | null;
  readonly type: MessageType | null;
  readonly channel: Channel;
  /** Decides what is done with personal data; absent means `internal`. */
  readonly classification?: Classification;
  /** Names sender, recipient and task: numbers cut in two over its messages are put together. */
  readonly stream?: string | null;
  /** What an agent says, as against what it is told; absent means the latter. */
  readonly leaves?: boolean;
  /** The recipient passes it on to a person. */
  readonly towardsPerson?: boolean;
};

/**
 * The scanner control: schema, structure, secrets, injection wording, hidden and encoded text,
 * personal data, what an agent may not say, and the rules of the mesh file, in one pass. Never
 * throws; its time is bounded by the size limits and its effort, and what it did not finish is
 * an ESCALATE with SCAN_BUDGET.
 */
export type Scanner = {
  /** Names the rules in force; it changes when any of them does. */
  readonly version: string;
  readonly scan: (input: ScanInput) => Verdict;
  /** The findings of a scan, each with what it amounts to. */
  readonly inspect: (input: ScanInput) => readonly GradedFinding[];
  /** The value with personal data replaced where the data policy says so, before it is signed. */
  readonly mask: (value: JsonValue, classification: Classification) => Masked;
};

/** Version of the shipped rules; it moves with every change of what they find, or of where sidecars look with them. */
export const shippedRulesVersion = '6';

/** Builds a scanner. Throws `ScannerError` when a rule or pattern cannot be used. */
export function createScanner(config: ScannerConfig): Scanner {
  const settings = config.settings ?? defaultScannerSettings;
  const engine = new RuleEngine([...secretRules, ...injectionRules, ...personalRules]);
  const engineTowardsPerson = new RuleEngine([...engine.rules, ...outputRules]);
  const linearRules = compileLinearRules(config.patterns, settings.packs);
  const key = digestKeyOf(config.digestKey);
  const version = versionOf([...engine.rules, ...outputRules], linearRules, settings);
  const { ownPrompt = null } = config;
  const parts = {
    config,
    settings,
    engine,
    engineTowardsPerson,
    linearRules,
    key,
    fragments: new DataFragments(tableSeedOf(key)),
    clean: new CleanTexts(),
    fingerprint: ownPrompt === null ? null : new PromptFingerprint(ownPrompt),
    stepsAtLeast: config.stepsAtLeast,
  };
  return {
    version,
    scan(input) {
      const startedAtUs = config.nowUs();
      const { outcome, all: findings } = new Scan(input, parts).run();
      const tookUs = Math.max(0, config.nowUs() - startedAtUs);
      return { outcome, control: 'scanner', version, tookUs, findings };
    },
    inspect: (input) => new Scan(input, parts).run().graded,
    mask: (value, classification) => maskValue(value, classification, settings.data, key),
  };
}

function tableSeedOf(key: KeyObject): TableSeed {
  const bytes = createHmac('sha256', key).update('tails of messages').digest();
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
}

/** First 12 characters of a SHA-256 over everything that decides a match. */
function versionOf(
  rules: readonly Rule[],
  linear: readonly LinearRule[],
  settings: ScannerSettings,
): string {
  const hash = createHash('sha256');
  for (const rule of rules) {
    const { id, outcome, keywords, expression, before, wordStart, otherwise } = rule;
    const parts = [id, outcome, keywords, String(expression), before, wordStart, otherwise];
    hash.update(JSON.stringify(parts));
  }
  for (const { id, pattern, outcome } of linear) {
    hash.update(JSON.stringify([id, pattern, outcome]));
  }
  hash.update(JSON.stringify([settings.data, settings.suppressions, settings.packs]));
  return `rules-${shippedRulesVersion}.${hash.digest('base64url').slice(0, 12)}`;
}
