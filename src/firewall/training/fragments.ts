// SPDX-License-Identifier: Apache-2.0

/** What a hand-written line is, see `train/firewall/README.md`. */
export type FragmentKind = (typeof fragmentKinds)[number];

const fragmentKinds = [
  'override',
  'leak',
  'persona',
  'order',
  'task',
  'steer',
  'passive',
  'insert',
  'prerequisite',
  'story',
  'puzzle',
  'agent-attack',
  'agent-benign',
  'user-benign',
  'email-benign',
  'doc-benign',
  'tool-benign',
  'code-benign',
  'ops-benign',
  'prompt-benign',
  'word-benign',
] as const;

export type Fragment = {
  readonly kind: FragmentKind;
  /** ISO 639-1. */
  readonly language: string;
  readonly text: string;
};

/**
 * Reads a file of hand-written lines: `== KIND LANGUAGE` opens a section, `# ` at a line's start
 * before the first section is a comment, every other line is one fragment. Throws `RangeError` on a
 * header that it does not know: a misspelt section would silently train nothing.
 */
export function parseFragments(file: string): readonly Fragment[] {
  const fragments: Fragment[] = [];
  let section: { readonly kind: FragmentKind; readonly language: string } | null = null;
  for (const line of file.split('\n')) {
    if (line.startsWith('== ')) section = sectionOf(line);
    else if (section !== null && line !== '') fragments.push({ ...section, text: line });
  }
  return fragments;
}

function sectionOf(line: string): { readonly kind: FragmentKind; readonly language: string } {
  const [, name, language] = line.split(' ');
  const kind = fragmentKinds.find((known) => known === name);
  if (kind === undefined || language === undefined) throw new RangeError(`Unknown section: ${line}`);
  return { kind, language };
}
