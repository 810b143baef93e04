// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { fuzz } from './frames.ts';
import { targets } from './targets.ts';

describe('parsers of outside bytes', () => {
  it('do what they may on every seed itself', () => {
    for (const target of targets()) {
      for (const seed of target.seeds) target.run(seed);
      expect(target.seeds.length).toBeGreaterThan(10);
    }
  });

  it('never throw on mutated vectors and noise', () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 2 ** 31);
    const report = fuzz(seed, (executions) => executions >= 8000);
    // The seed stands in the message: FUZZ_SEED repeats the run.
    expect(report.failures, `FUZZ_SEED=${seed}`).toEqual([]);
  });
});
