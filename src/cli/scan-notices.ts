// SPDX-License-Identifier: Apache-2.0
import { shown, type Diagnostic, type Position } from '../mesh/diagnostic.ts';
import { scannerCodes } from '../scanner/codes.ts';
import type { LeftOut } from './scan-files.ts';
import { printable } from './text-lines.ts';

/** What who reads a report of `maso scan` has to know beside the findings; it changes no exit code. */
export type ScanNotice = {
  readonly code: string;
  readonly level: 'warning' | 'note';
  readonly message: string;
  readonly mend: string;
  /** In the mesh file; null where it is about none of its lines. */
  readonly place: Position | null;
};

const namesShown = 3;

/** Of a suppression: what is still in force is no more than a note. */
export function noticeOf({ file, line, column, code, message, mend }: Diagnostic): ScanNotice {
  const level = code === 'SCAN_SUPPRESSION_ENDING' ? 'note' : 'warning';
  return { code, level, message, mend, place: { file, line, column } };
}

/** One for each reason, with the first few names. */
export function leftOutNotices(leftOut: ReadonlyMap<LeftOut, readonly string[]>): readonly ScanNotice[] {
  const code = 'SCAN_FILE_LEFT_OUT';
  const { mend } = scannerCodes[code];
  return [...leftOut].map(([reason, paths]) => {
    const names = paths.slice(0, namesShown).map(shown).join(', ');
    const more = paths.length > namesShown ? ` and ${paths.length - namesShown} more` : '';
    return { code, level: 'note', message: `Not scanned (${reason}): ${names}${more}.`, mend, place: null };
  });
}

export function noticeLine({ code, level, message, mend, place }: ScanNotice): string {
  const at = place === null ? '' : `${place.file}:${place.line}:${place.column} `;
  // Names of files are in it.
  return printable(`${at}${level} ${code} ${message} (${mend})`);
}
