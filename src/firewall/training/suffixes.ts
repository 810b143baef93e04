// SPDX-License-Identifier: Apache-2.0
import type { Draw } from './seeded-random.ts';
import { pick } from './seeded-random.ts';

const syllables = [
  'ka', 'ri', 'ton', 'mel', 'qua', 'dra', 'sis', 'ous', 'ly', 'foot', 'note', 'axis', 'sym', 'pre', 'ing', 'ver',
  'ent', 'bol', 'ish', 'max', 'tur', 'del', 'ova', 'nex', 'str', 'ative', 'com', 'ze', 'wun', 'gra',
];
const codeWords = [
  'return', 'const', 'foreach', 'lambda', 'printf', 'begin', 'end', 'import', 'true', 'null', 'yield', 'void',
  'Sure', 'INST', 'assistant', 'tutorial', 'reply', 'manner', 'opposite', 'revert', 'interface', 'template',
];
const marks = [...'!?;:()[]{}<>/\\|#*=-_.,\'"$&%@^~`+'];

/**
 * A run of fragments as optimisation against a model finds them: syllables, signs, words of code and of
 * other languages, without sense. `word` gives words of other texts.
 */
export function drawSuffix(word: () => string, draw: Draw): string {
  const count = 8 + Math.floor(draw() * 18);
  let written = '';
  for (let index = 0; index < count; index += 1) {
    written += piece(word, draw);
    if (draw() < 0.7) written += ' ';
  }
  return written.trimEnd();
}

function piece(word: () => string, draw: Draw): string {
  const kind = draw();
  if (kind < 0.3) return signs(draw);
  if (kind < 0.55) return madeUp(draw);
  if (kind < 0.7) return pick(codeWords, draw);
  if (kind < 0.75) return `\\${pick(codeWords, draw)}`;
  if (kind < 0.8) return String(Math.floor(draw() * 100));
  if (kind < 0.86) return `${pick(marks, draw)} `.repeat(2 + Math.floor(draw() * 8)).trimEnd();
  return word();
}

function signs(draw: Draw): string {
  return Array.from({ length: 1 + Math.floor(draw() * 4) }, () => pick(marks, draw)).join('');
}

function madeUp(draw: Draw): string {
  const parts = Array.from({ length: 2 + Math.floor(draw() * 2) }, () => pick(syllables, draw));
  const isCamel = draw() < 0.3;
  return parts.map((part, index) => (isCamel && index > 0 ? part.charAt(0).toUpperCase() + part.slice(1) : part)).join('');
}
