// SPDX-License-Identifier: Apache-2.0
import { credentialMakers, documentFormats, harmlessMakers } from '../../src/scanner/credential-fixture.ts';
import type { Chance } from '../../src/scanner/planted-fixture.ts';
import { evasions, pick, plantedItem, plantedText } from '../../src/scanner/planted-fixture.ts';
import { rounded } from '../machine.ts';
import { newScanner, scanText } from './subject.ts';

/** Recall and false positives of the rules for secrets, over documents in each format. */
export function secretFigures(chance: Chance, rounds: number) {
  const scanner = newScanner();
  const isFound = (text: string): boolean =>
    scanText(scanner, text).findings.some(({ code }) => code === 'SCAN_SECRET');
  let planted = 0;
  let found = 0;
  let harmless = 0;
  let wrong = 0;
  const missed = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    for (const [format, write] of documentFormats) {
      for (const [id, make] of Object.entries(credentialMakers)) {
        planted += 1;
        if (isFound(write(make(chance)))) found += 1;
        else missed.add(`${id} in ${format}`);
      }
      for (const make of harmlessMakers) {
        harmless += 1;
        if (isFound(write(make(chance)))) wrong += 1;
      }
    }
  }
  return {
    formats: documentFormats.length,
    kinds: Object.keys(credentialMakers).length,
    planted,
    recall: rounded(found / planted),
    harmless,
    falsePositives: rounded(wrong / harmless),
    missed: [...missed].slice(0, 12),
  };
}

/** DP-T2.1 and DP-T2.2: what is caught in a public message, in clear and behind each evasion. */
export function dataFigures(chance: Chance, count: number) {
  const caught = (messages: readonly string[]): boolean => {
    // A scanner of its own: what one item left behind must not help to find the next.
    const scanner = newScanner(true);
    return messages.some(
      (text) => scanText(scanner, text, { classification: 'public', stream: 'a b task' }).outcome === 'NO-GO',
    );
  };
  const share = (of: (index: number) => boolean): number => {
    let passed = 0;
    for (let index = 0; index < count; index += 1) if (!of(index)) passed += 1;
    return rounded(passed / count);
  };
  const missed = share((index) => caught([plantedText(chance, plantedItem(chance, index))]));
  const bypass = evasions.map(({ name, messages }) => ({
    evasion: name,
    bypass: share((index) => {
      const item = plantedItem(chance, index);
      return caught(messages(plantedText(chance, item), item));
    }),
  }));
  const all = bypass.reduce((sum, row) => sum + row.bypass, 0) / bypass.length;
  return { items: count, recall: rounded(1 - missed), bypassAll: rounded(all), bypass };
}

const words = (
  'the invoice for march was sent to the office on friday and the total of 1,240.50 is due ' +
  'within thirty days please confirm that the delivery of 12 crates arrived in good order ' +
  'our team has reviewed the draft and added two comments on page 7 of the attached report'
).split(' ');

/** Ordinary text of so many characters, in one of the formats. */
export function benignText(chance: Chance, length: number): string {
  const write = pick(chance, documentFormats)[1];
  let text = '';
  while (text.length < length) {
    text += `${pick(chance, words)}${chance() < 0.08 ? '.\n' : ' '}`;
    if (chance() < 0.002) text += `"id": "${Math.floor(chance() * 1e9).toString(16)}", `;
  }
  return write(text).slice(0, length);
}
