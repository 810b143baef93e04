// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { ownCopy } from './own-copy.ts';

describe('a copy of its own', () => {
  it('is the same text, whatever it holds', () => {
    for (const text of ['', 'plain', 'Zürich', '\u{1f4b6} paid', '\ud800 alone', 'a\u0000b']) {
      expect(ownCopy(text)).toBe(text);
    }
  });
});
