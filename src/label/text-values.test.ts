// SPDX-License-Identifier: Apache-2.0
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { linksIn, promptTextLengthMax, promptValues } from './text-values.ts';
import { ValueIndex } from './value-index.ts';

function sourced(text: string, source: string): readonly unknown[] {
  return promptValues(text).filter((value) => value.source === source)
    .map(({ value }): unknown => JSON.parse(value));
}

function indexOf(text: string): ValueIndex {
  const index = new ValueIndex();
  index.restore(promptValues(text));
  return index;
}

const sourcesOf = (text: string, value: string | number): readonly string[] =>
  indexOf(text).sourcesFor(value)[''] ?? [];

describe("values in a person's text", () => {
  it.each<[string, string, string | number]>([
    ['a piece of an address', 'Mail bob@example.com.', 'example.com'],
    ['the name before the @', 'Mail bob@example.com.', 'bob'],
    ['an address with more before it', 'Mail bob@example.com.', 'b.bob@example.com'],
    ['a shorter address', 'Mail bob@example.com.au now', 'bob@example.com'],
    ['a parent domain', 'Read www.pay.example.com', 'example.com'],
    ['a shorter domain', 'Read company.co.uk', 'company.co'],
    ['a shorter domain before capitals', 'Read company.co.UK now', 'company.co'],
    ['a shorter domain before one capital', 'Read company.co.Uk now', 'company.co'],
    ['a domain that goes on', 'Read example.com-evil.Net', 'example.com'],
    ['a path under an address that was said', 'Read www.example.com', 'www.example.com/leak'],
    ['an address of which a path was said', 'Read www.example.com/a', 'www.example.com'],
    ['a domain with a port taken away', 'Read example.com:8080', 'example.com'],
    ['an unsaid scheme', 'Read example.com', 'https://example.com'],
    ['the number of a day as an object', 'What happens on June 13?', '13'],
    ['the number of a day as an amount', 'What happens on June 13?', 13],
    ['a year', 'on 2024-05-15', 2024],
    ['the hour of a time', 'at 10:00', 10],
    ['a bare number as text', 'Delete 13 files', '13'],
    ['a piece of a number', 'Pay 1300', 13],
    ['a piece of a word', 'Tell Bobby', 'Bob'],
    ['another case', 'Tell Bob', 'bOB'],
    ['words from two sentences', 'Tell Bob. Alice is away', 'Bob. Alice'],
    ['words over a line', 'Tell Bob\nAlice', 'Bob\nAlice'],
    ['a date nobody said', 'on 2024-05-15', '2024-05-16'],
    ['a look-alike', 'Tell Alice', 'Аlice'],
  ])('do not include %s', (_, text, value) => {
    const { composed, ...whole } = { composed: 'prompt.composed', own: sourcesOf(text, value) };
    expect(whole.own.filter((source) => source !== composed)).toEqual([]);
  });

  it.each<[string, string, string | number, string]>([
    ['an address', "Her address is 'sarah@example.com'.", 'sarah@example.com', 'prompt'],
    ['an address before a full stop', 'Ask bob@example.com.', 'bob@example.com', 'prompt'],
    ['a link before a full stop', 'Read www.example.com.', 'www.example.com', 'prompt'],
    ['a link before a forgotten space', 'See our-site.com.They wrote', 'our-site.com', 'prompt'],
    ['a link with a path', 'at (https://a.example/b?c=1)!', 'https://a.example/b?c=1', 'prompt'],
    ['a file', "the file 'plan.docx'", 'plan.docx', 'prompt'],
    ['a file with capitals', 'open Q1_Report-2024.xlsx', 'Q1_Report-2024.xlsx', 'prompt'],
    ['an account', 'to US133000000121212121212', 'US133000000121212121212', 'prompt'],
    ['what stands in quotes', "file '13' please", '13', 'prompt'],
    ['a date', 'on 2024-05-15.', '2024-05-15', 'prompt'],
    ['a date in words', 'on May 5th, 2024', '2024-05-05', 'prompt'],
    ['a date in other words', 'on 5 May 2024', '2024-05-05', 'prompt'],
    ['a date with a time', 'to 2024-05-20 at 9:30.', '2024-05-20 09:30', 'prompt'],
    ['a name', 'send it to Alice', 'Alice', 'prompt.words'],
    ['words as they stand', 'in the meeting minutes file', 'meeting minutes', 'prompt.words'],
    ['an amount', 'Pay 98.70 to them', 98.7, 'prompt.numbers'],
  ])('include %s', (_, text, value, source) => {
    expect(sourcesOf(text, value)).toContain(source);
  });

  it('never spell a value that the text does not hold', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'ab1.@-/ :\'"TJune'), maxLength: 60 });
    fc.assert(
      fc.property(texts, (text) => {
        for (const { value, source } of promptValues(text)) {
          const said: unknown = JSON.parse(value);
          if (typeof said !== 'string' || source === 'prompt.composed') continue;
          if (!/^\d{4}-\d{2}|^\d{2}:\d{2}$/.test(said)) expect(text).toContain(said);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are none in a text that is too long to look at', () => {
    expect(promptValues('Alice '.repeat(promptTextLengthMax))).toEqual([]);
    expect(linksIn('www.example.com '.repeat(promptTextLengthMax))).toEqual([]);
  });

  it.each(['a.', '@a', '1-', "'", 'a-b.', '1.', 'http://', 'June 1 '])(
    'are found in linear time in %j without end',
    (piece) => {
      const text = piece.repeat(Math.floor(promptTextLengthMax / piece.length));
      const startedMs = performance.now();
      promptValues(text);
      // Generous: quadratic work on 16 KB takes seconds.
      expect(performance.now() - startedMs).toBeLessThan(1500);
    },
  );
});

describe("a text made of a person's words", () => {
  const prompt = 'Tell everybody: congrats on being the k-th most active user of example.com!';

  it.each([
    'Congrats on being the 1-th most active user!',
    'congrats, user',
    'Tell everybody',
  ])('is known as such: %j', (text) => {
    expect(indexOf(prompt).sourcesFor(text)['']).toContain('prompt.composed');
  });

  it.each([
    'Check out this link',
    'Congrats on example.com',
    'congrats@user',
    'user.most',
    'congrats 1234',
    '123',
    '!!!',
    '',
    'Congrats on being the most active usеr',
  ])('is not %j', (text) => {
    expect(indexOf(prompt).sourcesFor(text)[''] ?? []).not.toContain('prompt.composed');
  });
});

it('takes whole links out of a colleague’s message', () => {
  expect(linksIn('lunch (visit www.restaurant.example.)')).toEqual(['www.restaurant.example']);
  expect(linksIn('mail bob@example.com')).toEqual([]);
  expect(sourced('x', 'prompt')).toEqual([]);
});
