// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { afterEach, describe, expect, it } from 'vitest';
import type { RecordLog } from './record-log.ts';

export type RecordLogCase = {
  /** Opens the same log again, as after the end of the process; null where nothing survives. */
  readonly reopen: (() => Promise<RecordLog>) | null;
  readonly log: RecordLog;
  readonly dispose: () => Promise<void>;
};

/** What every `RecordLog` does; each implementation runs it. */
export function recordLogSuite(name: string, create: () => Promise<RecordLogCase>): void {
  describe(`${name} as a record log`, () => {
    let current: RecordLogCase | null = null;
    const start = async (): Promise<RecordLogCase> => {
      current = await create();
      return current;
    };
    afterEach(async () => {
      await current?.log.close();
      await current?.dispose();
      current = null;
    });

    it('refuses a line that would be read as two', async () => {
      const { log } = await start();
      const appended = log.append(['a\nb'], { privileged: false });
      await expect(appended).rejects.toMatchObject({ code: 'RECORDER_ENTRY_INVALID' });
      expect(log.size()).toBe(0);
    });

    it('refuses an empty line', async () => {
      const { log } = await start();
      const appended = log.append(['a', ''], { privileged: false });
      await expect(appended).rejects.toMatchObject({ code: 'RECORDER_ENTRY_INVALID' });
      expect(log.size()).toBe(0);
    });

    it('refuses to append once closed', async () => {
      const { log } = await start();
      await log.close();
      const appended = log.append(['a'], { privileged: true });
      await expect(appended).rejects.toMatchObject({ code: 'RECORDER_CLOSED' });
    });

    it('closes twice without complaint', async () => {
      const { log } = await start();
      await log.close();
      await log.close();
    });

    it('starts empty under a random name', async () => {
      const { log } = await start();
      expect(log.size()).toBe(0);
      expect(log.tornBytes()).toBe(0);
      expect(log.name.length).toBeGreaterThanOrEqual(22);
      expect(await texts(log, 0, 10)).toEqual([]);
    });

    it('gives back lines in order, by range', async () => {
      const { log } = await start();
      await log.append(['one', 'two ☂'], { privileged: false });
      await log.append(['three'], { privileged: true });
      expect(log.size()).toBe(3);
      expect(await texts(log, 0, 3)).toEqual(['one', 'two ☂', 'three']);
      expect(await texts(log, 1, 2)).toEqual(['two ☂']);
      expect(await texts(log, 2, 99)).toEqual(['three']);
      expect(await texts(log, 3, 99)).toEqual([]);
    });

    it('keeps a long line whole', async () => {
      const { log } = await start();
      const long = 'x'.repeat(700_000);
      await log.append(['a', long, 'b'], { privileged: false });
      expect(await texts(log, 0, 3)).toEqual(['a', long, 'b']);
    });

    it('does not show lines that came after the reading began', async () => {
      const { log } = await start();
      await log.append(['a', 'b'], { privileged: false });
      const reading = log.read(0, Number.POSITIVE_INFINITY);
      await log.append(['c'], { privileged: false });
      const seen: string[] = [];
      for await (const line of reading) seen.push(Buffer.from(line).toString());
      expect(seen).toEqual(['a', 'b']);
    });

    it('keeps name and lines when opened again', async (context) => {
      const { log, reopen } = await start();
      if (reopen === null) return context.skip();
      const { name } = log;
      await log.append(['a', 'b'], { privileged: false });
      await log.close();
      const again = await reopen();
      expect(again.name).toBe(name);
      expect(again.size()).toBe(2);
      await again.append(['c'], { privileged: false });
      expect(await texts(again, 0, 9)).toEqual(['a', 'b', 'c']);
      await again.close();
    });
  });
}

async function texts(log: RecordLog, from: number, to: number): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of log.read(from, to)) lines.push(Buffer.from(line).toString());
  return lines;
}
