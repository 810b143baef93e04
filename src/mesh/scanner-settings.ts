// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { memberForm, type Combination } from '../label/combination.ts';
import type { Classification } from '../message/envelope.ts';
import type { AtBus } from './crossing.ts';

/** What is done with personal data in a message of a classification; `note` records and passes. */
export type DataAction = 'note' | 'redact' | 'tokenise' | 'escalate' | 'block';

export type DataClass = 'contact' | 'financial' | 'national_id' | 'health';

export type DataPolicy = {
  readonly [dataClass in DataClass]: { readonly [classification in Classification]: DataAction };
};

/** A rule of the mesh file's own packs; its expression runs on a linear engine. */
export type PackRule = {
  readonly id: string;
  readonly kind: 'injection' | 'secret' | 'data';
  readonly severity: 'low' | 'medium' | 'high';
  readonly pattern: string;
};

export type RulePack = {
  readonly name: string;
  readonly version: string;
  readonly rules: readonly PackRule[];
};

/** A finding that somebody has looked at. It stays on record as a note until the day it ends. */
export type Suppression = {
  /** Id of the rule, or the part before a slash and `*`. */
  readonly rule: string;
  /** Start of the path in the payload; null for everywhere. */
  readonly path: string | null;
  /**
   * A glob of files below the folder of the mesh file. Such a suppression is for `maso scan` alone: in a
   * message, which is no file, it never holds. Absent where none is named.
   */
  readonly file?: string;
  readonly reason: string;
  readonly by: string;
  /** Milliseconds of the epoch: the end, UTC, of the day that the file names. */
  readonly expiresAt: number;
};

export type ScannerSettings = {
  readonly data: DataPolicy;
  readonly packs: readonly RulePack[];
  readonly suppressions: readonly Suppression[];
  /** What raises the classification of a message that holds it; absent means nothing. */
  readonly combinations?: readonly Combination[];
  /** What the node looks through once more; absent means crossings. */
  readonly atBus?: AtBus;
};

/**
 * Names, addresses and accounts are what agents work with inside an organisation, so the default
 * only notes them there. In a public message an account waits for a person, and identity numbers,
 * cards and health data are refused (DP-2.1: above the clearance of who may read it).
 */
export const defaultDataPolicy: DataPolicy = {
  contact: { public: 'note', internal: 'note', confidential: 'note', restricted: 'note' },
  financial: { public: 'block', internal: 'note', confidential: 'note', restricted: 'note' },
  national_id: { public: 'block', internal: 'note', confidential: 'note', restricted: 'note' },
  health: { public: 'block', internal: 'note', confidential: 'note', restricted: 'note' },
};

export const defaultScannerSettings: ScannerSettings = {
  data: defaultDataPolicy,
  packs: [],
  suppressions: [],
};

const action = z.enum(['note', 'redact', 'tokenise', 'escalate', 'block']);
const perClassification = z.strictObject({
  public: action.optional(),
  internal: action.optional(),
  confidential: action.optional(),
  restricted: action.optional(),
});

export const dataPolicyShape = z.strictObject({
  contact: perClassification.optional(),
  financial: perClassification.optional(),
  national_id: perClassification.optional(),
  health: perClassification.optional(),
});

/** 31 February is read as 3 March by the machine, and by nobody who wrote it. */
function isInCalendar(day: string): boolean {
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}

const day = z.string().regex(/^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])$/)
  .refine(isInCalendar, 'There is no such day.');

/** Below the folder of the mesh file: neither absolute nor upwards, with `/` between names. */
const fileGlob = z.string().max(256)
  .regex(/^[^\\\0/]+(?:\/[^\\\0/]+)*$/)
  .refine((glob) => glob.split('/').every((name) => name !== '.' && name !== '..'), 'names `.` or `..`');

export const suppressionShape = z.strictObject({
  rule: z.string().regex(/^[a-z]{1,20}\/(?:\*|[a-z0-9][a-z0-9.+-]{0,100})$/),
  path: z.string().regex(/^\//).max(256).optional(),
  file: fileGlob.optional(),
  reason: z.string().min(3).max(1024),
  by: z.string().min(1).max(128),
  expires: day.describe('Last day, UTC.'),
}).refine(({ path, file }) => path === undefined || file === undefined, 'names a path in a payload and a file');

const memberName = z.string().min(2).max(128).refine((name) => memberForm(name).length > 1, 'no letter or digit');

export const combinationShape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/),
  all: z.array(z.array(memberName).min(1).max(64)).min(2).max(8)
    .describe('Groups of member names; one of each makes the combination.'),
  classification: z.enum(['internal', 'confidential', 'restricted']),
});

export const scannerShape = z.strictObject({
  data: dataPolicyShape.optional(),
  rule_packs: z.array(z.string().min(1).max(1024)).max(16).default([]),
  suppressions: z.array(suppressionShape).max(256).default([]),
  combinations: z.array(combinationShape).max(64).default([]),
  at_bus: z.enum(['crossings', 'all', 'off']).default('crossings'),
});

/** A file of rules: YAML or JSON. */
export const rulePackShape = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]{0,40}$/),
  version: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,31}$/),
  rules: z.array(
    z.strictObject({
      id: z.string().regex(/^[a-z][a-z0-9-]{0,60}$/),
      kind: z.enum(['injection', 'secret', 'data']),
      severity: z.enum(['low', 'medium', 'high']),
      pattern: z.string().min(1).max(1024),
    }),
  ).min(1).max(200),
});

/** The file's values over the defaults, key by key. */
export function dataPolicyOf(given: z.output<typeof dataPolicyShape> | undefined): DataPolicy {
  const over = (dataClass: DataClass): DataPolicy[DataClass] => {
    const { public: open, internal, confidential, restricted } = given?.[dataClass] ?? {};
    const fallback = defaultDataPolicy[dataClass];
    return {
      public: open ?? fallback.public,
      internal: internal ?? fallback.internal,
      confidential: confidential ?? fallback.confidential,
      restricted: restricted ?? fallback.restricted,
    };
  };
  return {
    contact: over('contact'),
    financial: over('financial'),
    national_id: over('national_id'),
    health: over('health'),
  };
}

export function combinationsOf(given: z.output<typeof scannerShape> | undefined): readonly Combination[] {
  return (given?.combinations ?? []).map(({ name, all, classification }) => ({
    name, classification, groups: all.map((group) => new Set(group.map(memberForm))),
  }));
}
