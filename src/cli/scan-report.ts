// SPDX-License-Identifier: Apache-2.0
import { pathToFileURL } from 'node:url';
import { codeEntry } from '../process/codes.ts';
import type { ScanNotice } from './scan-notices.ts';

export type TextPosition = { readonly line: number; readonly column: number };

export type FileFinding = {
  readonly file: string;
  readonly rule: string;
  readonly code: string;
  readonly grade: 'note' | 'escalate' | 'no-go';
  /** UTF-16 units from the start of the file. */
  readonly offset: number;
  readonly length: number;
  readonly start: TextPosition;
  readonly end: TextPosition;
  readonly digest: string | null;
  /** Of the mesh file: why it is a note, and who said so. */
  readonly suppression: { readonly reason: string; readonly by: string } | null;
};

/** Line and column from 1, in UTF-16 units. */
export function placeOf(text: string, offset: number): TextPosition {
  let line = 1;
  let from = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', from)) {
    line += 1;
    from = end + 1;
  }
  return { line, column: offset - from + 1 };
}

const levels = { note: 'note', escalate: 'warning', 'no-go': 'error' } as const;
const severities = { note: '2.0', escalate: '5.0', 'no-go': '8.5' } as const;

/** SARIF 2.1.0 (OASIS). Messages say what a rule means, never what was found. */
export function sarifOf(
  found: readonly FileFinding[],
  version: string,
  notices: readonly ScanNotice[],
): object {
  const ruleIds = [...new Set(found.map(({ rule }) => rule))];
  return {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'maso scan',
            semanticVersion: '0.1.0',
            version,
            rules: ruleIds.map((id) => ruleOf(id, found)),
            notifications: notifiedOf(notices),
          },
        },
        invocations: [
          { executionSuccessful: true, toolExecutionNotifications: notices.map(notificationOf) },
        ],
        columnKind: 'utf16CodeUnits',
        results: found.map((item) => resultOf(item, ruleIds.indexOf(item.rule))),
      },
    ],
  };
}

function ruleOf(id: string, found: readonly FileFinding[]): object {
  const first = found.find(({ rule }) => rule === id);
  const grade = first?.grade ?? 'note';
  return {
    id,
    shortDescription: { text: codeEntry(first?.code ?? '')?.means ?? id },
    help: { text: codeEntry(first?.code ?? '')?.mend ?? id },
    defaultConfiguration: { level: levels[grade] },
    properties: { 'security-severity': severities[grade], tags: ['security'] },
  };
}

function resultOf(item: FileFinding, ruleIndex: number): object {
  return {
    ruleId: item.rule,
    ruleIndex,
    level: levels[item.grade],
    message: { text: codeEntry(item.code)?.means ?? item.code },
    ...suppressionsOf(item),
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(item.file) },
          region: {
            startLine: item.start.line,
            startColumn: item.start.column,
            endLine: item.end.line,
            endColumn: item.end.column,
            charOffset: item.offset,
            charLength: item.length,
          },
        },
      },
    ],
  };
}

function notifiedOf(notices: readonly ScanNotice[]): readonly object[] {
  return [...new Set(notices.map(({ code }) => code))].map((id) => ({
    id,
    shortDescription: { text: codeEntry(id)?.means ?? id },
    help: { text: codeEntry(id)?.mend ?? id },
  }));
}

function notificationOf({ code, level, message, mend, place }: ScanNotice): object {
  const own = { descriptor: { id: code }, level, message: { text: `${message} ${mend}` } };
  if (place === null) return own;
  const { line: startLine, column: startColumn } = place;
  const artifactLocation = { uri: uriOf(place.file) };
  return { ...own, locations: [{ physicalLocation: { artifactLocation, region: { startLine, startColumn } } }] };
}

/** Of a person who answered for it outside of the file (SARIF 3.35); absent where nobody did. */
function suppressionsOf({ suppression }: FileFinding): object {
  if (suppression === null) return {};
  const justification = `${suppression.reason} (${suppression.by})`;
  return { suppressions: [{ kind: 'external', status: 'accepted', justification }] };
}

/** Relative where the file lies under the working folder, as uploads expect it. */
function uriOf(file: string): string {
  if (file.startsWith('/') || file.startsWith('..')) return pathToFileURL(file).href;
  return file.split('/').map(encodeURIComponent).join('/');
}
