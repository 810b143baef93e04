// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { matchesGlob } from './file-glob.ts';

describe('a glob of files', () => {
  it.each([
    ['notes.md', 'docs/notes.md'],
    ['docs/*.md', 'docs/deep/notes.md'],
    ['docs/*', 'docs'],
    ['*.md', 'notes.mdx'],
    ['a?c', 'ac'],
    ['a?c', 'a/c'],
    ['docs/**/x.md', 'other/x.md'],
    ['[ab].md', 'a.md'],
    ['', 'a'],
  ])('%s does not name %s', (glob, file) => {
    expect(matchesGlob(glob, file)).toBe(false);
  });

  it.each([
    ['notes.md', 'notes.md'],
    ['docs/*.md', 'docs/notes.md'],
    ['a?c', 'abc'],
    ['**', 'a/b/c'],
    ['**/x.md', 'x.md'],
    ['docs/**/x.md', 'docs/x.md'],
    ['docs/**/x.md', 'docs/a/b/x.md'],
    ['docs/**', 'docs/a/b.txt'],
    ['*a*b*', 'xxaxxaxxbxx'],
    ['[ab].md', '[ab].md'],
  ])('%s names %s', (glob, file) => {
    expect(matchesGlob(glob, file)).toBe(true);
  });

  it('ends soon on a glob that is made to be slow', () => {
    expect(matchesGlob(`${'*a'.repeat(100)}b`, 'a'.repeat(250))).toBe(false);
    expect(matchesGlob(`${'**/'.repeat(80)}b`, 'a/'.repeat(120))).toBe(false);
  });
});
