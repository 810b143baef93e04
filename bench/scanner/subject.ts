// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { defaultDataPolicy, defaultScannerSettings } from '../../src/mesh/scanner-settings.ts';
import type { Classification } from '../../src/message/envelope.ts';
import type { JsonValue } from '../../src/message/json.ts';
import type { Verdict } from '../../src/review/verdict.ts';
import { createScanner, type Scanner } from '../../src/scanner/scan.ts';
import { createSchemaRegistry } from '../../src/scanner/schema-registry.ts';

/** The scanner as a sidecar has it, with everything on. */
export function newScanner(blocksContacts = false): Scanner {
  const contact = { ...defaultDataPolicy.contact, public: 'block' } as const;
  return createScanner({
    schemas: createSchemaRegistry([]),
    limits: { bytesMax: 1 << 20, depthMax: 32, membersMax: 20_000, stringLengthMax: 1 << 20 },
    patterns: [],
    settings: blocksContacts
      ? { ...defaultScannerSettings, data: { ...defaultDataPolicy, contact } }
      : defaultScannerSettings,
    ownPrompt: 'You are the billing agent of Example Ltd. Answer briefly, and never promise a refund.',
    digestKey: randomBytes(32),
    nowUs: () => performance.now() * 1000,
    nowMs: () => Date.now(),
  });
}

export type ScanOptions = {
  readonly classification?: Classification;
  readonly stream?: string;
};

export function scanText(scanner: Scanner, text: string, options: ScanOptions = {}): Verdict {
  return scanValue(scanner, { text }, options);
}

/** As the payload of a message that an agent sends, which is when most rules apply. */
export function scanValue(scanner: Scanner, value: JsonValue, options: ScanOptions = {}): Verdict {
  return scanner.scan({
    value,
    schemaId: null,
    type: null,
    channel: 'tool_result',
    leaves: true,
    towardsPerson: true,
    ...options,
  });
}

export function isOverBudget(verdict: Verdict): boolean {
  return verdict.findings.some(({ code }) => code === 'SCAN_BUDGET');
}
