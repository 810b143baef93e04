// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { FirewallError } from '../firewall/firewall-error.ts';
import { WordClusters } from '../firewall/word-clusters.ts';
import type { Fragment } from '../firewall/training/fragments.ts';
import { parseFragments } from '../firewall/training/fragments.ts';
import type { LabelledRow } from '../firewall/training/labelled-row.ts';
import { channels } from '../message/channel.ts';

export type LabelledFile = {
  readonly file: string;
  /** SHA-256 of the file as it lies on disk, hex. */
  readonly sha256: string;
  readonly rows: readonly LabelledRow[];
};

const uncompressedBytesMax = 1024 * 1024 * 1024;

/**
 * Reads labelled texts, JSON lines, gzip or not. Throws `FirewallError` FIREWALL_ROWS_MALFORMED with file and
 * number of the first line that is none and the member that is wrong; nothing that a line holds is in the error.
 */
export function readLabelledFile(file: string): LabelledFile {
  const bytes = readBytes(file);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? unpacked(bytes, file) : bytes).toString('utf8');
  const rows = text.split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [rowOf(line, { file, number: index + 1 })]));
  return { file, sha256: createHash('sha256').update(bytes).digest('hex'), rows };
}

/** Reads every file of hand-written lines in a folder, in order of their names. */
export function readFragments(folder: string): readonly Fragment[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.txt'))
    .sort()
    .flatMap((name) => parseFragments(readFileSync(join(folder, name), 'utf8')));
}

/** Groups of words for a training. Throws `FirewallError` where the file is missing or none. */
export function readClusters(file: string): WordClusters {
  const clusters = WordClusters.parse(readBytes(file));
  if (clusters !== null) return clusters;
  throw new FirewallError('FIREWALL_ROWS_MALFORMED', 'The file is no table of groups of words.');
}

function readBytes(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new FirewallError('FIREWALL_ROWS_UNREADABLE', `The file cannot be read: ${file}`, { cause });
  }
}

function unpacked(bytes: Buffer, file: string): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: uncompressedBytesMax });
  } catch (cause) {
    throw new FirewallError('FIREWALL_ROWS_UNREADABLE', `The file is no whole gzip file: ${file}`, { cause });
  }
}

type LinePlace = { readonly file: string; readonly number: number };

function rowOf(line: string, place: LinePlace): LabelledRow {
  const value = parsed(line, place);
  const { id, text, label, family, source, span } = value;
  const channel = channels.find((name) => name === value['channel']);
  if (typeof text !== 'string') throw malformed(place, '`text` is no string');
  if (label !== 'attack' && label !== 'benign') throw malformed(place, '`label` is neither attack nor benign');
  if (channel === undefined) throw malformed(place, `\`channel\` is none of ${channels.join(', ')}`);
  const row = {
    id: typeof id === 'string' ? id : String(place.number),
    text,
    label,
    channel,
    family: typeof family === 'string' ? family : 'none',
    source: typeof source === 'string' ? source : 'none',
  } as const;
  if (span === undefined || span === null) return row;
  const [start, end]: readonly unknown[] = Array.isArray(span) ? span : [];
  if (typeof start !== 'number' || typeof end !== 'number' || !(start <= end)) {
    throw malformed(place, '`span` is not where it begins and where it ends');
  }
  return { ...row, span: [start, end] };
}

function parsed(line: string, place: LinePlace): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as { readonly [name: string]: unknown };
  } catch {
    // The parser's own message quotes the line.
  }
  throw malformed(place, 'the line is no JSON object');
}

function malformed({ file, number }: LinePlace, why: string): FirewallError {
  return new FirewallError('FIREWALL_ROWS_MALFORMED', `${file}:${number} is no labelled text: ${why}.`);
}
