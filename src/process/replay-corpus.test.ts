// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { corpusDigest, readCorpus, textBytesMax, type CorpusItem } from './replay-corpus.ts';

const directory = mkdtempSync(join(tmpdir(), 'maso-corpus-'));
afterAll(() => rmSync(directory, { recursive: true }));

const good = { id: '1', text: 'a', label: 'benign', channel: 'user' };
const long = 'é'.repeat(textBytesMax / 2 + 1);

describe('a corpus refuses', () => {
  test.each([
    ['truncated JSON', '{"id":"1"', 'REPLAY_ROW_NOT_JSON'],
    ['an array', '[1]', 'REPLAY_ROW_NOT_JSON'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), 'REPLAY_ROW_NOT_UTF8'],
    ['a missing text', JSON.stringify({ ...good, text: undefined }), 'REPLAY_ROW_INCOMPLETE'],
    ['a text that is no string', JSON.stringify({ ...good, text: 1 }), 'REPLAY_ROW_INCOMPLETE'],
    ['a label that is prose', JSON.stringify({ ...good, label: 'a b' }), 'REPLAY_ROW_INCOMPLETE'],
    ['a channel that is prose', JSON.stringify({ ...good, channel: 'A' }), 'REPLAY_ROW_INCOMPLETE'],
    ['an endless id', JSON.stringify({ ...good, id: 'x'.repeat(300) }), 'REPLAY_ROW_INCOMPLETE'],
    ['half a pair', JSON.stringify({ ...good, text: '\ud800' }), 'REPLAY_TEXT_ILL_FORMED'],
    ['a text over the bound', JSON.stringify({ ...good, text: long }), 'REPLAY_TEXT_TOO_LONG'],
    ['a line over the bound', `"${'x'.repeat(9 * textBytesMax)}"`, 'REPLAY_ROW_TOO_LONG'],
  ])('%s, and goes on after it', async (_name, bad, code) => {
    const next = Buffer.from(`\n${JSON.stringify(good)}`);
    const items = await read(Buffer.concat([Buffer.from(bad), next]));
    expect(items).toEqual([
      { ok: false, line: 1, code },
      { ok: true, line: 2, row: good },
    ]);
  });

  test('a file that is not there, and a gzip file that is cut off', async () => {
    await expect(collect(join(directory, 'absent'))).rejects.toMatchObject({
      code: 'REPLAY_FILE_UNREADABLE',
    });
    const packed = gzipSync(JSON.stringify(good));
    await expect(read(packed.subarray(0, packed.length - 4))).rejects.toMatchObject({
      code: 'REPLAY_FILE_UNREADABLE',
    });
  });
});

describe('a corpus', () => {
  test('is read in order, whatever the line ends, and blank lines are no rows', async () => {
    const second = JSON.stringify({ ...good, id: '2' });
    const items = await read(`${JSON.stringify(good)}\r\n\n  \n${second}`);
    const places = items.map((item) => (item.ok ? [item.line, item.row.id] : item.code));
    expect(places).toEqual([[1, '1'], [4, '2']]);
  });

  test('takes texts of the bound, split over many chunks', async () => {
    const text = 'x'.repeat(textBytesMax);
    const rows = Array.from({ length: 20 }, () => JSON.stringify({ ...good, text }));
    const items = await read(rows.join('\n'));
    expect(items.filter((item) => item.ok && item.row.text === text).length).toBe(20);
  });

  test('is known as gzip by its bytes, not by its name', async () => {
    expect(await read(gzipSync(JSON.stringify(good)))).toEqual([{ ok: true, line: 1, row: good }]);
    expect(await read('')).toEqual([]);
  });

  test('has the digest of the file on disk', async () => {
    const file = join(directory, 'abc');
    writeFileSync(file, 'abc');
    // FIPS 180-2, appendix B.1.
    expect(await corpusDigest(file)).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
  });
});

async function read(content: string | Uint8Array): Promise<readonly CorpusItem[]> {
  const file = join(directory, 'corpus');
  writeFileSync(file, content);
  return collect(file);
}

async function collect(file: string): Promise<readonly CorpusItem[]> {
  const items: CorpusItem[] = [];
  for await (const item of readCorpus(file)) items.push(item);
  return items;
}
