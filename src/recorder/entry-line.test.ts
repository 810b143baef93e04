// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { draft, startMs } from '../../test/faults/recorder-fixture.ts';
import { parseAnyEntry, parseEntry } from '../verifier/entry.ts';
import type { Entry } from '../verifier/entry.ts';
import { entryLine, parseEntryLine } from './entry-line.ts';
import { isEntryDraft } from './entry-shape.ts';

const tip = { size: 0, recordedAt: 0 };
const line = entryLine(draft(1), tip, startMs).line;
/** As the verifier reads it; whatever the recorder takes for an entry is looked at beside it. */
const parse = (text: string): Entry | null => parseEntry(Buffer.from(text));
/** The entry line with one member changed, written as JSON writes it. */
const changed = (changes: object): string =>
  JSON.stringify({ ...(JSON.parse(line) as object), ...changes });

describe('an entry line', () => {
  it('is refused when a member is unknown, missing or of the wrong type', () => {
    expect(parse(changed({}))).not.toBeNull();
    for (const member of Object.keys(JSON.parse(line) as object)) {
      expect(parse(changed({ [member]: undefined })), member).toBeNull();
      expect(parse(changed({ [member]: [{}] })), member).toBeNull();
      expect(parse(changed({ [member]: 'two words' })), member).toBeNull();
    }
    expect(parse(changed({ extra: 1 }))).toBeNull();
    expect(parse(changed({ zzz: 1 }))).toBeNull();
  });

  it.each([
    { at: -1 },
    { id: '' },
    { id: 'x'.repeat(161) },
    { id: 'línea' },
    { actor: 'agent:a\u001B[2J' },
    { kind: 'toString' },
    { kind: '__proto__' },
    { causedBy: Array.from({ length: 257 }, () => 'x') },
    { outcome: 'GO ' },
    { code: 'lower' },
    { sequence: 1.5 },
    { sequence: 2 ** 53 },
    { recordedAt: -1 },
    { verdicts: [{ outcome: 'GO', control: 'scanner', version: '1', tookUs: 1 }] },
    { verdicts: [{ outcome: 'GO', control: 'scanner', version: '1', tookUs: 1, findings: [{}] }] },
    { verdicts: [{ outcome: 'GO', control: 'a', version: '1', tookUs: 1, findings: [], more: 1 }] },
  ])('is refused with %j', (changes) => {
    expect(parse(changed(changes))).toBeNull();
  });

  it('is refused in any form but the canonical one', () => {
    expect(parse(` ${line}`)).toBeNull();
    expect(parse(`${line} `)).toBeNull();
    expect(parse(line.replace('":', '": '))).toBeNull();
    expect(parse(line.replace('"tookUs":300', '"tookUs":3e2'))).toBeNull();
    expect(parse(line.replace('{"actor"', '{"actor":"agent:other","actor"'))).toBeNull();
    expect(parse(line.replace('triage', '\\u0074riage'))).toBeNull();
    const [, first = '', rest = ''] = /^\{("actor":"[^"]+"),(.*)\}$/.exec(line) ?? [];
    expect(parse(`{${rest},${first}}`)).toBeNull();
  });

  it('is refused when it is not UTF-8, not JSON, or nests without end', () => {
    expect(parseEntry(Buffer.from([...Buffer.from(line), 0xff]))).toBeNull();
    const marked = Buffer.from(entryLine(draft(1, { detail: { mark: '�' } }), tip, startMs).line);
    const at = marked.indexOf('�');
    expect(parseEntry(marked)).not.toBeNull();
    const ill = Buffer.concat([marked.subarray(0, at), Buffer.of(0xff), marked.subarray(at + 3)]);
    expect(parseEntry(ill)).toBeNull();
    expect(parse('')).toBeNull();
    expect(parse('null')).toBeNull();
    expect(parse('[]')).toBeNull();
    expect(parse(line.slice(0, -1))).toBeNull();
    const deep = `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect(parse(line.replace(/"detail":\{[^}]*\}/, `"detail":${deep}`))).toBeNull();
  });

  it('counts its place, which the recorder reads back as the verifier does', () => {
    const first = entryLine(draft(1), tip, startMs);
    const second = entryLine(draft(2), first.tip, startMs);
    expect(parse(first.line)).toMatchObject({ sequence: 0 });
    expect(parse(second.line)).toMatchObject({ sequence: 1 });
    const { writer, ...read } = parseAnyEntry(second.line) ?? {};
    expect(writer).toBeNull();
    expect(parseEntryLine(Buffer.from(second.line))).toEqual(read);
  });

  it.each([startMs - 1, 0, -5, Number.NaN, Number.POSITIVE_INFINITY])(
    'keeps the time of the last one when the clock says %s',
    (nowMs) => {
      const first = entryLine(draft(1), tip, startMs);
      const second = entryLine(draft(2), first.tip, nowMs);
      expect(parse(second.line)?.recordedAt).toBe(startMs);
    },
  );

  it('gives back the draft it was made of, whatever is in its detail', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (detail) => {
        const given = draft(1, { detail: JSON.parse(JSON.stringify(detail)) });
        const whole = parse(entryLine(given, tip, startMs).line);
        expect(whole).toMatchObject({ id: given.id, detail: given.detail });
      }),
      { numRuns: 200 },
    );
  });
});

describe('the shape of a draft', () => {
  it('has no room for members of a recorded entry or for inherited ones', () => {
    expect(isEntryDraft(draft(1))).toBe(true);
    expect(isEntryDraft({ ...draft(1), sequence: 1 })).toBe(false);
    expect(isEntryDraft(Object.create(draft(1)))).toBe(false);
    expect(isEntryDraft(null)).toBe(false);
    expect(isEntryDraft([])).toBe(false);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1])('refuses %s where time is owed', (number) => {
    expect(isEntryDraft(draft(1, { at: number }))).toBe(false);
    expect(isEntryDraft(draft(1, { tookUs: number }))).toBe(false);
  });
});
