// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';
import type { UserPattern } from '../mesh/mesh.ts';
import type { Channel } from '../message/channel.ts';
import type { MessageType } from '../message/envelope.ts';
import type { JsonValue } from '../message/json.ts';
import type { Finding, Outcome, Verdict } from '../review/verdict.ts';
import { finding } from '../review/verdict.ts';
import { normalise } from '../text/normalise.ts';
import type { HiddenRun, NormalText } from '../text/normalise.ts';
import { injectionRules } from './patterns.ts';
import type { Rule } from './rule.ts';
import { RuleEngine } from './rule-engine.ts';
import type { OnMatch, Work, WorkLimits } from './rule-engine.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { secretRules } from './secrets.ts';
import type { Place, StructureLimits } from './structure.ts';
import { pointerTo, walkTexts } from './structure.ts';
import type { CompiledUserPattern } from './user-patterns.ts';
import { compileUserPatterns, stepsOf } from './user-patterns.ts';

export type ScannerConfig = {
  readonly schemas: SchemaRegistry;
  readonly limits: StructureLimits;
  readonly patterns: readonly UserPattern[];
  /** Key of the digests in findings; of this process, so that equal matches are seen as equal. */
  readonly digestKey: Uint8Array;
  /** Monotonic microseconds, for the time that a verdict says it took. */
  readonly nowUs: () => number;
  readonly work?: WorkLimits;
};

export type ScanInput = {
  readonly value: JsonValue;
  /** Null where no message schema applies: tool arguments and tool results. */
  readonly schemaId: string | null;
  readonly type: MessageType | null;
  readonly channel: Channel;
};

/**
 * The scanner control: schema, structure, secrets, injection wording, hidden text and the patterns
 * of the mesh file, in one pass. Never throws; its time is bounded by the size limits and the work
 * limits, and what it did not finish is an ESCALATE with SCAN_BUDGET.
 */
export type Scanner = {
  /** Names the rules in force; it changes when any of them does. */
  readonly version: string;
  readonly scan: (input: ScanInput) => Verdict;
};

/** Measured: 64 KB made to spend all of this take less than 5 ms. */
export const defaultWorkLimits: WorkLimits = { perRule: 200_000, total: 600_000 };
/** Steps of users' patterns in one scan; their engine takes up to 0.1 us for one. */
const userStepsMax = 400_000;
/** Findings of one outcome that a verdict carries; the outcome counts them all. */
const findingsMax = 32;
const matchesOfRuleMax = 8;
const segmentLengthMax = 64;

/** Builds a scanner. Throws `ScannerError` when a rule or pattern cannot be used. */
export function createScanner(config: ScannerConfig): Scanner {
  const engine = new RuleEngine([...secretRules, ...injectionRules]);
  const patterns = compileUserPatterns(config.patterns);
  const version = versionOf(engine.rules, config.patterns);
  return {
    version,
    scan(input) {
      const startedAtUs = config.nowUs();
      const scan = new Scan(input, config, engine, patterns);
      const { outcome, findings } = scan.run();
      const tookUs = Math.max(0, config.nowUs() - startedAtUs);
      return { outcome, control: 'scanner', version, tookUs, findings };
    },
  };
}

class Scan {
  private readonly input: ScanInput;
  private readonly config: ScannerConfig;
  private readonly engine: RuleEngine;
  private readonly patterns: readonly CompiledUserPattern[];
  private readonly limits: WorkLimits;
  private readonly work: Work;
  private readonly refusals: Finding[] = [];
  private readonly escalations: Finding[] = [];
  private readonly matchesOfRule = new Map<string, number>();
  /** Member names that hold a match: they may not appear in a path (G9). */
  private readonly hiddenNames = new Set<string>();
  private userSteps = 0;
  /** The text that is being scanned. */
  private now: {
    readonly text: string;
    readonly normal: NormalText;
    readonly place: Place | null;
    readonly name: boolean;
  } = { text: '', normal: normalise(''), place: null, name: false };

  constructor(
    input: ScanInput,
    config: ScannerConfig,
    engine: RuleEngine,
    patterns: readonly CompiledUserPattern[],
  ) {
    this.input = input;
    this.config = config;
    this.engine = engine;
    this.patterns = patterns;
    this.limits = config.work ?? defaultWorkLimits;
    this.work = engine.newWork();
  }

  run(): { readonly outcome: Outcome; readonly findings: readonly Finding[] } {
    const { input, config } = this;
    if (input.schemaId !== null) this.refuseAll(this.schemaFindings(input.schemaId));
    const visit = (text: string, place: Place | null, name: boolean): void => {
      this.text(text, place, name);
    };
    this.refuseAll(walkTexts(input.value, config.limits, visit));
    for (const index of this.work.exhausted) {
      this.escalations.push(finding('SCAN_BUDGET', this.engine.rules[index]?.id ?? 'budget/total'));
    }
    const findings = [...this.refusals, ...this.escalations];
    if (this.refusals.length > 0) return { outcome: 'NO-GO', findings };
    return { outcome: findings.length > 0 ? 'ESCALATE' : 'GO', findings };
  }

  private schemaFindings(schemaId: string): readonly Finding[] {
    const { type, value } = this.input;
    if (type === null) return [finding('SCAN_TYPE_MISMATCH', `schema/${schemaId}`)];
    return this.config.schemas.check(schemaId, type, value);
  }

  private refuseAll(findings: readonly Finding[]): void {
    this.refusals.push(...findings);
  }

  private text(text: string, place: Place | null, name: boolean): void {
    const normal = normalise(text);
    this.now = { text, normal, place, name };
    for (const run of normal.hidden) {
      this.report('SCAN_HIDDEN_TEXT', `hidden/${run.kind}`, hiddenOutcome(run), run.start, run.end);
    }
    this.engine.scan(normal.text, this.work, this.limits, this.onMatch);
    for (const pattern of this.patterns) this.userPattern(pattern, normal);
  }

  private readonly onMatch: OnMatch = (rule, outcome, start, end) => {
    if (!rule.appliesToUser && this.input.channel === 'user') return;
    const { normal } = this.now;
    this.report(rule.code, rule.id, outcome, normal.originalOf(start), normal.originalOf(end));
  };

  private userPattern(pattern: CompiledUserPattern, normal: NormalText): void {
    const rule = `pattern/${pattern.id}`;
    const steps = stepsOf(pattern, normal.text);
    if (this.userSteps + steps > userStepsMax) {
      if (this.count(`budget ${rule}`) === 1) this.escalations.push(finding('SCAN_BUDGET', rule));
      return;
    }
    this.userSteps += steps;
    const match = pattern.linear.find(normal.text, 0);
    if (match === null) return;
    const start = normal.originalOf(match.start);
    this.report('SCAN_PATTERN', rule, pattern.outcome, start, normal.originalOf(match.end));
  }

  private report(
    code: string,
    rule: string,
    outcome: 'NO-GO' | 'ESCALATE',
    start: number,
    end: number,
  ): void {
    const { text, place, name } = this.now;
    if (name && place !== null) this.hiddenNames.add(place.segment);
    const findings = outcome === 'NO-GO' ? this.refusals : this.escalations;
    // Counted for each outcome: forged tokens must not use up the place of a real one.
    if (findings.length >= findingsMax) return;
    if (this.count(`${outcome} ${rule}`) > matchesOfRuleMax) return;
    const path = pointerTo(place, (segment) => this.isHiddenName(segment));
    findings.push({ code, rule, path, start, end, digest: this.digest(text.slice(start, end)) });
  }

  private count(rule: string): number {
    const count = (this.matchesOfRule.get(rule) ?? 0) + 1;
    this.matchesOfRule.set(rule, count);
    return count;
  }

  private isHiddenName(segment: string): boolean {
    return segment.length > segmentLengthMax || this.hiddenNames.has(segment);
  }

  /** 16 bytes of HMAC-SHA256, base64url. */
  private digest(match: string): string {
    const mac = createHmac('sha256', this.config.digestKey).update(match, 'utf8').digest();
    return mac.subarray(0, 16).toString('base64url');
  }
}

function hiddenOutcome(run: HiddenRun): 'NO-GO' | 'ESCALATE' {
  return run.kind === 'tag-characters' || run.kind === 'variation-selectors' ? 'NO-GO' : 'ESCALATE';
}

/** First 12 characters of a SHA-256 over everything that decides a match. */
function versionOf(rules: readonly Rule[], patterns: readonly UserPattern[]): string {
  const hash = createHash('sha256');
  for (const rule of rules) {
    const { id, outcome, keywords, expression, before, wordStart, otherwise } = rule;
    const parts = [id, outcome, keywords, String(expression), before, wordStart, otherwise];
    hash.update(JSON.stringify(parts));
  }
  for (const { id, pattern, outcome } of patterns) {
    hash.update(JSON.stringify([id, pattern, outcome]));
  }
  return `rules-1.${hash.digest('base64url').slice(0, 12)}`;
}
