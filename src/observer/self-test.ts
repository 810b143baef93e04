// SPDX-License-Identifier: Apache-2.0
import { bucketMs, Scorer } from '../anomaly/scorer.ts';
import { observed } from '../anomaly/signal.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { ObserverCode } from './codes.ts';
import type { ObserverTest } from './statement.ts';
import { Watch } from './watch.ts';

const dayMs = 86_400_000;

/**
 * Anomalies that the observer makes up and has to find, in a memory of its own: a stopped agent that acts, a
 * sign and a full context that nobody heeds, a recovery that nobody signed, and a jump in volume. Gives what it missed.
 * PA-3.6. Takes some tens of milliseconds.
 */
export function selfTest(): Omit<ObserverTest, 'at'> {
  const missed: string[] = [];
  for (const [code, entries] of Object.entries(madeUp)) {
    const watch = new Watch({
      scorer: new Scorer(() => 'role'),
      operatorKey: () => null,
      unitsOf: (agent) => [`agent:${agent}`, 'mesh:mesh'],
      contextSize: () => 1_000,
      heedMs: 1_000,
    });
    for (const entry of entries) watch.take(entry);
    watch.advance((entries.at(-1)?.recordedAt ?? 0) + dayMs);
    if (!watch.takeFindings().some((found) => found.code === code)) missed.push(code);
  }
  if (!findsJump()) missed.push('a jump in volume');
  return { made: Object.keys(madeUp).length + 1, missed };
}

const madeUp: { readonly [code in ObserverCode]?: readonly RecordedEntry[] } = {
  OBSERVER_STOPPED_AGENT_ACTS: [
    made(1, 1_000, 'pace.changed', 'node', { unit: 'agent:a', fromPhase: 'PRIMARY', toPhase: 'EMERGENCY', by: 'x' }),
    made(2, 10 * 60_000, 'tool.intent', 'sidecar:a', {}),
  ],
  OBSERVER_SCORE_UNHEEDED: [made(1, 1_000, 'model.called', 'agent:a', { inputTokens: 960 })],
  OBSERVER_SIGN_UNHEEDED: [made(1, 1_000, 'indicator.raised', 'sidecar:a', { indicator: 'COMPROMISE' })],
  OBSERVER_RECOVERY_UNSIGNED: [
    made(1, 1_000, 'pace.changed', 'node', { unit: 'mesh:mesh', fromPhase: 'PRIMARY', toPhase: 'EMERGENCY', by: 'x' }),
    made(2, 2_000, 'pace.changed', 'node', { unit: 'mesh:mesh', fromPhase: 'EMERGENCY', toPhase: 'PRIMARY', by: 'x' }),
  ],
};

function made(
  sequence: number,
  at: number,
  kind: RecordedEntry['kind'],
  actor: string,
  detail: RecordedEntry['detail'],
): RecordedEntry {
  return {
    kind, id: `self-test.${sequence}`, at, actor, task: null, message: null, causedBy: [], outcome: null, code: null,
    verdicts: [], tookUs: null, detail, sequence, recordedAt: at,
  };
}

function findsJump(): boolean {
  const scorer = new Scorer(() => 'role');
  let most = 0;
  for (let at = 0; at < 16 * dayMs; at += bucketMs) {
    const count = at > 15.9 * dayMs ? 60 : 6;
    for (let index = 0; index < count; index += 1) {
      for (const { score } of scorer.take(observed('a', at + index, { tool: 'x' }))) most = Math.max(most, score);
    }
  }
  return most >= 60;
}
