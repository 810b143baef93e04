// SPDX-License-Identifier: Apache-2.0

const scripts: readonly (readonly [string, RegExp])[] = [
  ['ja', /[\u3040-\u30ff]/g],
  ['ko', /[\uac00-\ud7af]/g],
  ['zh', /[\u4e00-\u9fff]/g],
  ['ru', /[\u0400-\u04ff]/g],
  ['ar', /[\u0600-\u06ff]/g],
  ['hi', /[\u0900-\u097f]/g],
  ['th', /[\u0e00-\u0e7f]/g],
  ['el', /[\u0370-\u03ff]/g],
];

/** Small words that are common in one language and rare in the others. */
const smallWords: readonly (readonly [string, ReadonlySet<string>])[] = [
  ['en', new Set(['the', 'and', 'of', 'to', 'is', 'you', 'that', 'this', 'with', 'for'])],
  ['de', new Set(['und', 'der', 'die', 'das', 'nicht', 'ist', 'mit', 'auf', 'ich', 'eine'])],
  ['fr', new Set(['les', 'des', 'est', 'une', 'pour', 'dans', 'vous', 'pas', 'sur', 'avec'])],
  ['es', new Set(['los', 'las', 'una', 'por', 'para', 'con', 'del', 'más', 'esta', 'como'])],
  ['it', new Set(['che', 'non', 'per', 'una', 'sono', 'della', 'gli', 'più', 'questo', 'con'])],
  ['pt', new Set(['não', 'uma', 'para', 'com', 'você', 'mais', 'seu', 'dos', 'está', 'isso'])],
  ['nl', new Set(['het', 'een', 'van', 'niet', 'dat', 'je', 'voor', 'zijn', 'met', 'deze'])],
  ['pl', new Set(['nie', 'się', 'jest', 'na', 'do', 'że', 'to', 'jak', 'oraz', 'dla'])],
  ['tr', new Set(['bir', 've', 'bu', 'için', 'ile', 'olarak', 'daha', 'çok', 'değil', 'gibi'])],
  ['sv', new Set(['och', 'att', 'det', 'som', 'är', 'inte', 'för', 'på', 'av', 'till'])],
];

/**
 * The language of a text as far as a report needs it: ISO 639-1 by script, else by small words, else
 * `other`. A foreign attack in an English carrier counts by what there is more of.
 */
export function languageOf(text: string): string {
  const part = text.slice(0, 4000);
  for (const [language, script] of scripts) {
    if ((part.match(script)?.length ?? 0) > part.length * 0.1) return language;
  }
  const words = part.toLowerCase().match(/\p{L}+/gu) ?? [];
  let best = 'other';
  let most = 0;
  for (const [language, small] of smallWords) {
    const count = words.filter((word) => small.has(word)).length;
    if (count <= most) continue;
    most = count;
    best = language;
  }
  return best;
}
