// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import type { PaceView } from './pace-view.ts';

/** What every `PaceView` does: it is asked before every step, so it never throws and never guesses. */
export function paceViewSuite(name: string, create: () => PaceView): void {
  describe(`${name} as a view of PACE`, () => {
    it.each(['triage', '', '__proto__', 'nobody'])('has a clamp for %j', (agent) => {
      const { phase, allows } = create().clamp(agent);
      expect(['PRIMARY', 'ALTERNATE', 'CONTINGENCY', 'EMERGENCY']).toContain(phase);
      expect(['all', 'read-only', 'supervised', 'nothing']).toContain(allows);
      if (phase === 'EMERGENCY') expect(allows).toBe('nothing');
    });
  });
}
