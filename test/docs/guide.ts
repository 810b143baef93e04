// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..', '..');

/** A fenced block of a document: language, then whatever follows it on the fence's line. */
export type Block = { readonly language: string; readonly info: string; readonly text: string };

export function blocksOf(document: string): readonly Block[] {
  const found = readFileSync(join(root, document), 'utf8').matchAll(
    /^```([a-z]+)(?: ([^\n]+))?\n([\s\S]*?)^```$/gm,
  );
  return [...found].map(([, language = '', info = '', text = '']) => ({ language, info, text }));
}

/** Files that a guide has its reader write: `yaml` and `ts` blocks whose fence names one. */
export function filesOf(document: string): ReadonlyMap<string, string> {
  const named = blocksOf(document).filter(({ language, info }) => language !== 'bash' && info !== '');
  return new Map(named.map(({ info, text }) => [info, text]));
}

/** The commands that a guide has its reader type, as one script. */
export function scriptOf(document: string): string {
  return blocksOf(document)
    .filter(({ language, info }) => language === 'bash' && info === 'run')
    .map(({ text }) => text)
    .join('\n');
}
