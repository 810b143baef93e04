// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft, go, ulid } from '../../test/faults/recorder-fixture.ts';
import { entryLine } from '../recorder/entry-line.ts';
import type { EntryDraft } from '../recorder/entry.ts';
import { finding } from '../review/verdict.ts';
import { parseAnyEntry } from './entry.ts';
import type { Entry } from './entry.ts';
import { plainEntry } from './plain-entry.ts';

const line = (changes: Partial<EntryDraft> = {}): string =>
  entryLine(draft(1, changes), { size: 7, recordedAt: 0 }, 1_700_000_000_000).line;

const found = { ...finding('SCAN_SECRET', 'rule', '/body/text'), start: 3, end: 9, digest: 'abc' };
const lines: readonly string[] = [
  line(),
  line({ task: null, message: null, outcome: null, tookUs: null, verdicts: [], code: 'A_CODE' }),
  line({ causedBy: [ulid(1), ulid(2)], verdicts: [go, { ...go, findings: [found, found] }] }),
  line({ detail: { a: { writer: 'not this one' }, writer: 'this one', xyz: 1 } }),
  line({ detail: { writer: ['none'] } }),
  line({ detail: { a: [1, true, null, { b: 'ü\u2028😀' }], b: {}, c: [], d: false, 'é': 0 } }),
];
/** Entries that the short way leaves to the long one. */
const rare: readonly string[] = [
  line({ detail: { text: 'a "quoted" one\n' } }),
  line({ detail: { half: 0.5, large: 1e21, below: -1 } }),
  line({ detail: { '10': 1, '9': 2 } }),
  line({ tookUs: 0.25 }),
  line({ detail: {} }).replace('"detail":{}', `"detail":{"a":${'['.repeat(40)}${']'.repeat(40)}}`),
];

function seen(entry: Entry | null): object | null {
  if (entry === null) return null;
  const { kind, id, actor, message, causedBy, outcome, writer, detail, sequence, recordedAt } = entry;
  return { kind, id, actor, message, causedBy, outcome, writer, detail, sequence, recordedAt };
}

describe('the two ways to read an entry', () => {
  it('read the same entry out of the same line', () => {
    for (const text of lines) {
      expect(plainEntry(text)).not.toBeNull();
      expect(seen(plainEntry(text))).toEqual(seen(parseAnyEntry(text)));
    }
    for (const text of rare) expect(parseAnyEntry(text), text).not.toBeNull();
  });

  it('never differ on a line that is changed, cut or put together', () => {
    const pieces = [
      '"', '\\', ',', ':', '{', '}', '[', ']', ' ', '0', '00', '-1', '1.5', '1e3', 'null', 'true', '\u0000',
      '"a":1', '"a":1,', '\\u0041', '9007199254740993', '999999999999999', '1000000000000000', '\ud800', '__proto__',
      ...lines.flatMap((text) => text.split(/(?<=[,:])/)),
    ];
    const change = fc.record({
      of: fc.constantFrom(...lines, ...rare),
      at: fc.nat(700),
      drop: fc.nat(30),
      put: fc.constantFrom('', ...pieces),
    });
    let accepted = 0;
    fc.assert(
      fc.property(change, ({ of, at, drop, put }) => {
        const text = (of.slice(0, at) + put + of.slice(at + drop)).toWellFormed();
        const short = plainEntry(text);
        if (short === null) return;
        accepted += 1;
        expect(seen(short)).toEqual(seen(parseAnyEntry(text)));
      }),
      { numRuns: 8_000, seed: 6 },
    );
    expect(accepted).toBeGreaterThan(50);
  });

  it('refuse every single character changed into one that is not canonical', () => {
    for (const text of lines) {
      for (let at = 0; at < text.length; at += 1) {
        for (const put of ['"', '\\', '{', '0', 'Z', ' ', '']) {
          // As it comes out of well-formed UTF-8.
          const changed = (text.slice(0, at) + put + text.slice(at + 1)).toWellFormed();
          const short = plainEntry(changed);
          if (short !== null) expect(parseAnyEntry(changed), changed).not.toBeNull();
        }
      }
    }
  });

  it('hold names to their order and refuse one that stands twice', () => {
    for (const detail of ['{"b":1,"a":2}', '{"a":1,"a":2}', '{"a":1,"a":1}', '{"ab":1,"a":2}']) {
      const text = line({ detail: { a: 0 } }).replace('"detail":{"a":0}', `"detail":${detail}`);
      expect(plainEntry(text)).toBeNull();
      expect(parseAnyEntry(text)).toBeNull();
    }
  });
});
