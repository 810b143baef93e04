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
 * Reads labelled texts, JSON lines, gzip or not. Throws `FirewallError` FIREWALL_ROWS_MALFORMED with
 * the number of the first line that is none; nothing of a line is in the error.
 */
export function readLabelledFile(file: string): LabelledFile {
  const bytes = readBytes(file);
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const text = (isGzip ? gunzipSync(bytes, { maxOutputLength: uncompressedBytesMax }) : bytes).toString('utf8');
  const rows = text.split('\n').flatMap((line, index) => (line.trim() === '' ? [] : [rowOf(line, index + 1)]));
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

function rowOf(line: string, number: number): LabelledRow {
  const value = parsed(line, number);
  const { id, text, label, family, source, span } = value;
  const channel = channels.find((name) => name === value['channel']);
  const isLabelled = label === 'attack' || label === 'benign';
  if (typeof text !== 'string' || channel === undefined || !isLabelled) throw malformed(number);
  const row = {
    id: typeof id === 'string' ? id : String(number),
    text,
    label,
    channel,
    family: typeof family === 'string' ? family : 'none',
    source: typeof source === 'string' ? source : 'none',
  } as const;
  if (span === undefined || span === null) return row;
  const [start, end]: readonly unknown[] = Array.isArray(span) ? span : [];
  if (typeof start !== 'number' || typeof end !== 'number' || !(start <= end)) throw malformed(number);
  return { ...row, span: [start, end] };
}

function parsed(line: string, number: number): { readonly [name: string]: unknown } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as { readonly [name: string]: unknown };
  } catch {
    // The parser's own message quotes the line.
  }
  throw malformed(number);
}

function malformed(number: number): FirewallError {
  return new FirewallError('FIREWALL_ROWS_MALFORMED', `Line ${number} is no labelled text.`);
}
