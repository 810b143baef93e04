// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it } from 'vitest';
import type { ExportedEntry, Exporter } from './exporter.ts';

/** An exporter with the destination it delivers to, which the suite can break. */
export type ExporterCase = {
  readonly exporter: Exporter;
  /** `log:sequence` of the entries the destination has, in the order they came; null: it keeps none. */
  readonly kept: (() => Promise<readonly string[]>) | null;
  /** From now on the destination is gone, or cannot take anything; null where it cannot be. */
  readonly break: (() => Promise<void>) | null;
  readonly mend: (() => Promise<void>) | null;
  /** From now on it takes a delivery and never confirms; null where there is no such thing. */
  readonly stall: (() => Promise<void>) | null;
  readonly dispose: () => Promise<void>;
};

/** What every `Exporter` does; each implementation runs it. */
export function exporterSuite(name: string, create: () => Promise<ExporterCase>): void {
  describe(`${name} as an exporter`, () => {
    let current: ExporterCase | null = null;
    const start = async (): Promise<ExporterCase> => (current = await create());
    const never = new AbortController().signal;
    afterEach(async () => {
      await current?.exporter.close();
      await current?.dispose();
      current = null;
    });

    it('answers with a code while the destination is away, and delivers once it is back', async (test) => {
      const made = await start();
      if (made.break === null || made.mend === null) return test.skip();
      await made.break();
      const refused = await made.exporter.deliver(someEntries(0, 3), never);
      expect(refused).toMatchObject({ ok: false, code: expect.stringMatching(/^EXPORT_/) });
      await made.mend();
      expect(await made.exporter.deliver(someEntries(0, 3), never)).toEqual({ ok: true, rejected: 0 });
      expect(await made.kept?.()).toEqual(places(0, 3));
    });

    it('lets go when the signal fires, and has not confirmed', async (test) => {
      const made = await start();
      if (made.stall === null) return test.skip();
      await made.stall();
      const giveUp = new AbortController();
      const delivery = made.exporter.deliver(someEntries(0, 2), giveUp.signal);
      giveUp.abort();
      expect(await delivery).toMatchObject({ ok: false, code: expect.stringMatching(/^EXPORT_/) });
    });

    it('answers with a code once closed, and closes twice', async () => {
      const { exporter } = await start();
      await exporter.close();
      await exporter.close();
      const refused = await exporter.deliver(someEntries(0, 1), never);
      expect(refused).toMatchObject({ ok: false });
    });

    it('delivers in order, and what is delivered again again', async () => {
      const { exporter, kept } = await start();
      expect(await exporter.deliver(someEntries(0, 2), never)).toEqual({ ok: true, rejected: 0 });
      expect(await exporter.deliver(someEntries(1, 4), never)).toEqual({ ok: true, rejected: 0 });
      if (kept !== null) expect(await kept()).toEqual([...places(0, 2), ...places(1, 4)]);
    });

    it('takes a whole batch', async () => {
      const { exporter, kept } = await start();
      const count = exporter.batchEntriesMax;
      expect(await exporter.deliver(someEntries(0, count), never)).toEqual({ ok: true, rejected: 0 });
      if (kept !== null) expect(await kept()).toEqual(places(0, count));
    });
  });
}

function places(from: number, to: number): string[] {
  return someEntries(from, to).map(({ log, sequence }) => `${log}:${sequence}`);
}

/** Entries as they may leave the mesh: refusals of messages, each the same whenever it is made. */
export function someEntries(from: number, to: number): ExportedEntry[] {
  return Array.from({ length: to - from }, (_, index): ExportedEntry => {
    const sequence = from + index;
    return {
      log: 'log-of-a-test',
      sequence,
      kind: 'message.refused',
      atMs: 1_800_000_000_000 + sequence,
      recordedAtMs: 1_800_000_000_001 + sequence,
      actor: { kind: 'node', name: null },
      traceId: '0192f6a1c3d5e7f9a1b2c3d4e5f60718',
      spanId: (sequence + 1).toString(16).padStart(16, '0'),
      parentSpanId: null,
      link: null,
      outcome: 'NO-GO',
      code: 'BUS_EDGE_DENIED',
      tookUs: 1200,
      verdicts: [{ control: 'bus', outcome: 'NO-GO', tookUs: 900, codes: ['BUS_EDGE_DENIED'] }],
      facts: { from: 'triage', to: 'payments', domain: 'billing', schema: 'invoice/1' },
      counted: {},
      masked: false,
    };
  });
}
