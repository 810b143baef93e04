// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';

/** `log:sequence` of every whole event in a file of JSON lines; what a kill cut off is left out. */
export function placesInFile(path: string): string[] {
  return readFileSync(path, 'utf8').split('\n').flatMap((line) => {
    try {
      return [String(JSON.parse(line).metadata.uid)];
    } catch {
      // A line that a kill left incomplete: its event comes again, whole.
      return [];
    }
  });
}
