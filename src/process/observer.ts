// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { askControl } from '../adapters/control-http.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { Scorer } from '../anomaly/scorer.ts';
import type { OperatorKey } from '../identity/operator-key.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { keysWith } from '../mesh/operator-roles.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { ObserverCode } from '../observer/codes.ts';
import { selfTest } from '../observer/self-test.ts';
import { observerName, signObserved, type ObserverStatement, type ObserverTest } from '../observer/statement.ts';
import { Watch } from '../observer/watch.ts';
import { paceRulesOf } from '../pace/rules.ts';
import { unitKey, unitsOf } from '../pace/unit.ts';
import { parseEntryLine } from '../recorder/entry-line.ts';
import { prunedHash } from '../recorder/pruned-line.ts';
import { faultOf } from './fault.ts';

export type ObserverOptions = {
  /** As the observer's own copy of the mesh file has it. */
  readonly mesh: Mesh;
  readonly logDirectory: string;
  readonly controlSocket: string;
  readonly key: OperatorKey;
  readonly log: (line: string) => void;
};

export type RunningObserver = {
  /** False from the first finding on: it consents to nothing, and cosigns nothing, any more. */
  readonly consents: () => boolean;
  readonly close: () => void;
};

const sayEveryMs = 2_000;
const selfTestEveryMs = 600_000;
/** The mesh has so long to heed what it recorded. */
const heedMs = 30_000;

/**
 * Reads the log and nothing else, and says every two seconds whether it consents. Nothing that an agent
 * sends reaches it but by way of the log. What it finds makes it ask for an emergency, and consent to
 * nothing until it is started again: leases for HIGH and CRITICAL end with its consent.
 */
export async function startObserver(options: ObserverOptions): Promise<RunningObserver> {
  const { mesh, logDirectory, log } = options;
  const clock = systemClock();
  const rules = paceRulesOf(mesh);
  const watch = new Watch({
    scorer: new Scorer((agent) => mesh.agents.get(agent)?.role ?? 'unknown'),
    scoresAct: rules.settings.scores === 'act',
    contextSize: (agent) => mesh.agents.get(agent)?.model?.contextTokens ?? null,
    operatorKey: keysWith(mesh.operators, 'recover'),
    unitsOf: (agent) => {
      const place = rules.places.get(agent);
      return place === undefined ? [] : unitsOf(place).map(unitKey);
    },
    heedMs,
  });
  const reader = await openRecordLogReader(logDirectory);
  let next = 0;
  let against: string | null = null;
  let test: ObserverTest | null = null;
  let testedAtMs = Number.NEGATIVE_INFINITY;
  let running = false;

  const read = async (): Promise<void> => {
    for await (const line of reader.read(next, Number.MAX_SAFE_INTEGER)) {
      next += 1;
      if (prunedHash(line) !== null) continue;
      const entry = parseEntryLine(line);
      // A line that is no entry is what somebody else wrote into the log.
      if (entry === null) against ??= 'a line of the log is no entry';
      else watch.take(entry);
    }
    watch.advance(clock.nowMs());
    for (const { code, agent, entry } of watch.takeFindings()) {
      log(`observer: ${code} ${agent} (${entry})`);
      against ??= `${code} ${agent} ${entry}`;
    }
  };

  const say = async (): Promise<void> => {
    if (performance.now() - testedAtMs > selfTestEveryMs) {
      testedAtMs = performance.now();
      test = { at: clock.nowMs(), ...selfTest() };
      const failed: ObserverCode = 'OBSERVER_SELF_TEST_FAILED';
      if (test.missed.length > 0) against ??= `${failed} ${test.missed.join(', ')}`;
    }
    await read();
    const statement: ObserverStatement = {
      id: mintUlid(clock, systemRandom), verdict: against === null ? 'consent' : 'ask', size: next,
      operator: observerName, at: clock.nowMs(), reason: (against ?? '').slice(0, 500), ...(test === null ? {} : { test }),
    };
    const signed = signObserved(statement, options.key);
    const answer = await askControl(options.controlSocket, 'POST', '/v1/observer', { signed });
    if (answer.status !== 200) log(`observer: not believed (${String(answer.body['code'])})`);
  };

  const turn = (): void => {
    if (running) return;
    running = true;
    // Silence is the safe side: without its word nothing HIGH or CRITICAL goes on.
    say().catch((failure: unknown) => log(`observer: ${faultOf(failure)}`)).finally(() => {
      running = false;
    });
  };
  turn();
  const timer = setInterval(turn, sayEveryMs);
  return { consents: () => against === null, close: () => clearInterval(timer) };
}
