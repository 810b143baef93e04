// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { marksMax, type ProgressStore } from './progress.ts';
import { stepsMax, type Step } from './steps.ts';

/** What every `ProgressStore` does; `open` opens the same disk again, a new one per test. */
export function progressStoreSuite(name: string, create: () => { readonly open: () => ProgressStore }): void {
  describe(`${name} as a progress store`, () => {
    it('tells what happened in a task in order, the latest of each thing, also after a restart', async () => {
      const disk = create();
      const store = disk.open();
      await store.add('t1', [{ kind: 'challenge', by: 'c', standing: 'stands' }], 1);
      await store.add('t1', [{ kind: 'claim', from: 'a' }], 1);
      await store.add('t2', [{ kind: 'claim', from: 'b' }], 1);
      await store.add('t1', [{ kind: 'challenge', by: 'c', standing: 'falls' }], 2);
      for (const one of [store, disk.open()]) {
        expect(one.of('t1').map(({ mark }) => mark)).toEqual([
          { kind: 'claim', from: 'a' }, { kind: 'challenge', by: 'c', standing: 'falls' },
        ]);
        expect(one.of('t2').map(({ mark }) => mark)).toEqual([{ kind: 'claim', from: 'b' }]);
        expect(one.of('t3')).toEqual([]);
      }
      const places = store.of('t1').map(({ place }) => place);
      expect(places).toEqual(places.toSorted((a, b) => a - b));
    });

    it('keeps no more than it may of one task, and says so', async () => {
      const store = create().open();
      const many = Array.from({ length: marksMax + 1 }, (_, index) => ({ kind: 'claim', from: `a${index}` } as const));
      await expect(store.add('t', many, 1)).rejects.toThrow();
      expect(store.of('t')).toEqual([]);
    });

    it('changes what judges said of a phase by what stands, also where much is asked at once, and after a restart', async () => {
      const disk = create();
      const store = disk.open();
      const of = { workflow: 'w', phase: 'p' };
      const once = () => store.judge('t', of, (before) =>
        ({ kind: 'judged', ...of, outcome: 'PENDING', question: 'm', asked: (before?.asked ?? 0) + 1 }), 1);
      await Promise.all(Array.from({ length: 8 }, once));
      expect(await disk.open().judge('t', of, () => null, 2)).toMatchObject({ asked: 8 });
      expect(await store.judge('t', { workflow: 'w', phase: 'q' }, () => null, 2)).toBeNull();
      expect(store.of('t')).toHaveLength(1);
    });

    it('keeps the newest steps of a task, each once, and says when one gave way, also after a restart', async () => {
      const disk = create();
      const store = disk.open();
      const step = (about: string): Step => ({ about, from: 'a', to: 'b', content: { about } });
      await store.note('t1', 'm0', step('s0'), 1);
      await store.note('t1', 'm0', step('s0'), 2);
      await store.note('t2', 'x', step('other'), 2);
      expect(disk.open().steps('t1')).toEqual({ steps: [step('s0')], isWhole: true });
      for (let turn = 1; turn <= stepsMax; turn += 1) await store.note('t1', `m${turn}`, step(`s${turn}`), turn);
      const { steps, isWhole } = disk.open().steps('t1');
      expect([steps.length, steps[0]?.about, steps.at(-1)?.about, isWhole]).toEqual([stepsMax, 's1', `s${stepsMax}`, false]);
      expect(store.steps('t3')).toEqual({ steps: [], isWhole: true });
      await store.prune(3);
      expect([store.steps('t2').steps.length, store.steps('t1').steps.length]).toEqual([0, stepsMax]);
    });

    it('forgets a task once nothing has happened in it for long', async () => {
      const store = create().open();
      await store.add('old', [{ kind: 'claim', from: 'a' }], 1_000);
      await store.add('live', [{ kind: 'claim', from: 'a' }], 1_000);
      await store.add('live', [{ kind: 'action', action: 'x', by: 'a' }], 2_000);
      await store.prune(2_000);
      expect([store.of('old').length, store.of('live').length]).toEqual([0, 2]);
    });
  });
}
