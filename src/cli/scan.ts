// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { readMesh } from '../adapters/mesh-files.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { defaultScannerSettings, type Suppression } from '../mesh/scanner-settings.ts';
import type { Classification } from '../message/envelope.ts';
import type { GradedFinding } from '../scanner/finding-list.ts';
import { createScanner, type Scanner } from '../scanner/scan.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import type { CommandIo, ExitCode } from './check.ts';
import { matchesGlob } from './file-glob.ts';
import { placeOf, sarifOf, type FileFinding } from './scan-report.ts';
import { printable } from './text-lines.ts';

export type ScanOptions = {
  /** File or folder. */
  readonly target: string;
  readonly json: boolean;
  readonly sarif: boolean;
  /** Mesh file whose patterns, packs, suppressions and data policy are used; absent: the defaults. */
  readonly mesh?: string;
  readonly classification: string;
  /** The least that makes the exit code 1. */
  readonly failOn: string;
  readonly person: boolean;
};

const fileBytesMax = 16 * 1024 * 1024;
/** One scan; a longer file is read in parts that overlap, so that nothing is cut in two. */
const partLength = 262_144;
const overlapLength = 4096;
const progressEveryMs = 2_000;
const skippedFolders = new Set(['.git', '.hg', '.svn', 'node_modules']);
const grades = { note: 0, escalate: 1, 'no-go': 2 } as const;

type Tally = { files: number; skipped: number; readonly found: FileFinding[] };

/**
 * `maso scan FILE|DIR`: the deterministic scanners over files, as they run over payloads. Exit 0 when
 * nothing was found, 1 on findings, 2 on wrong usage or a file that cannot be read. Binary files and
 * links are skipped and counted. Never prints what it found, only where.
 */
export function scanCommand(options: ScanOptions, io: CommandIo): ExitCode {
  const failAt = grades[asGrade(options.failOn) ?? 'escalate'];
  const classification = asClassification(options.classification);
  if (asGrade(options.failOn) === null || classification === null || (options.json && options.sarif)) {
    io.err('maso scan: see --help for the values of --fail-on and --classification; --json or --sarif.');
    return 2;
  }
  const mesh = meshOf(options, io);
  if (mesh === 'refused') return 2;
  const target = resolve(io.directory, options.target);
  const files = filesUnder(target);
  if (files === null) {
    io.err(`maso scan: ${options.target} cannot be read.`);
    return 2;
  }
  const scannerFor = scannersOf(mesh, options.mesh === undefined ? null : dirname(resolve(io.directory, options.mesh)));
  const tally: Tally = { files: 0, skipped: 0, found: [] };
  let toldAt = performance.now();
  for (const [index, file] of files.entries()) {
    const text = textOf(file);
    if (text === 'unreadable') {
      io.err(`maso scan: ${printable(relative(io.directory, file))} cannot be read.`);
      return 2;
    }
    if (text === null) tally.skipped += 1;
    else scanFile(file, text, { scanner: scannerFor(file), classification, options, io, tally });
    if (performance.now() - toldAt < progressEveryMs) continue;
    toldAt = performance.now();
    io.err(`${index + 1} of ${files.length} files, ${tally.found.length} findings`);
  }
  report(tally, scannerOf(mesh, mesh?.scanner?.suppressions ?? []).version, options, io);
  return tally.found.some(({ grade }) => grades[grade] >= failAt) ? 1 : 0;
}

function asGrade(given: string): keyof typeof grades | null {
  return given === 'note' || given === 'escalate' || given === 'no-go' ? given : null;
}

function asClassification(given: string): Classification | null {
  switch (given) {
    case 'public':
    case 'internal':
    case 'confidential':
    case 'restricted':
      return given;
    default:
      return null;
  }
}

function meshOf(options: ScanOptions, io: CommandIo): Mesh | null | 'refused' {
  if (options.mesh === undefined) return null;
  const loaded = readMesh(resolve(io.directory, options.mesh));
  if (loaded.ok) return loaded.mesh;
  io.err(`maso scan: the mesh file is refused; maso check ${options.mesh} says why.`);
  return 'refused';
}

/** For each file a scanner with the suppressions that hold for it; files with the same ones share it. */
function scannersOf(mesh: Mesh | null, folder: string | null): (file: string) => Scanner {
  const made = new Map<string, Scanner>();
  return (file) => {
    const path = folder === null ? '..' : relative(folder, file).split(sep).join('/');
    const isBelow = path !== '..' && !path.startsWith('../');
    const held = (mesh?.scanner?.suppressions ?? []).flatMap((item, index) => {
      const { file: glob, ...own } = item;
      return glob === undefined || (isBelow && matchesGlob(glob, path)) ? [{ index, own }] : [];
    });
    const key = held.map(({ index }) => index).join(' ');
    const scanner = made.get(key) ?? scannerOf(mesh, held.map(({ own }) => own));
    made.set(key, scanner);
    return scanner;
  };
}

function scannerOf(mesh: Mesh | null, suppressions: readonly Suppression[]): Scanner {
  return createScanner({
    schemas: createSchemaRegistry([]),
    limits: {
      bytesMax: 4 * partLength,
      depthMax: 4,
      membersMax: 16,
      stringLengthMax: partLength,
    },
    patterns: mesh?.patterns ?? [],
    settings: { ...(mesh?.scanner ?? defaultScannerSettings), suppressions },
    digestKey: randomBytes(32),
    nowUs: () => performance.now() * 1000,
    nowMs: () => Date.now(),
  });
}

type FileScan = {
  readonly scanner: Scanner;
  readonly classification: Classification;
  readonly options: ScanOptions;
  readonly io: CommandIo;
  readonly tally: Tally;
};

function scanFile(file: string, text: string, scan: FileScan): void {
  const { scanner, classification, options, io, tally } = scan;
  tally.files += 1;
  const seen = new Set<string>();
  const uri = relative(io.directory, file) || file;
  for (let from = 0; from === 0 || from < text.length; from += partLength - overlapLength) {
    const graded = scanner.inspect({
      value: text.slice(from, from + partLength),
      schemaId: null,
      type: null,
      channel: 'document',
      classification,
      towardsPerson: options.person,
    });
    for (const found of graded) {
      const item = fileFinding(uri, text, from, found);
      const key = `${item.rule} ${item.offset}`;
      if (!seen.has(key)) tally.found.push(item);
      seen.add(key);
    }
  }
}

function fileFinding(
  file: string,
  text: string,
  from: number,
  { finding, outcome, suppression }: GradedFinding,
): FileFinding {
  const offset = from + (finding.start ?? 0);
  const end = from + (finding.end ?? 0);
  return {
    file,
    rule: finding.rule,
    code: finding.code,
    grade: outcome === 'NO-GO' ? 'no-go' : outcome === 'ESCALATE' ? 'escalate' : 'note',
    offset,
    length: Math.max(0, end - offset),
    start: placeOf(text, offset),
    end: placeOf(text, end),
    digest: finding.digest,
    suppression: suppression === null ? null : { reason: suppression.reason, by: suppression.by },
  };
}

/** Null when the path is neither a file nor a folder. Links are not followed. */
function filesUnder(path: string): readonly string[] | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  if (stats.isFile()) return [path];
  if (!stats.isDirectory()) return null;
  const files: string[] = [];
  const pending = [path];
  for (let folder = pending.pop(); folder !== undefined; folder = pending.pop()) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const child = join(folder, entry.name);
      if (entry.isFile()) files.push(child);
      else if (entry.isDirectory() && !skippedFolders.has(entry.name)) pending.push(child);
    }
  }
  return files.sort();
}

/** Null for a binary file, or one that is too large to be a text that an agent is handed. */
function textOf(file: string): string | null | 'unreadable' {
  try {
    if (statSync(file).size > fileBytesMax) return null;
    const bytes = readFileSync(file);
    if (bytes.subarray(0, 8192).includes(0)) return null;
    return bytes.toString('utf8');
  } catch {
    // A file that cannot be read was not scanned, and the exit code says so.
    return 'unreadable';
  }
}

function report(tally: Tally, version: string, options: ScanOptions, io: CommandIo): void {
  if (options.sarif) {
    io.out(JSON.stringify(sarifOf(tally.found, version)));
    return;
  }
  const { files, skipped, found } = tally;
  if (options.json) {
    io.out(JSON.stringify({ scanner: version, files, skipped, findings: found }));
    return;
  }
  for (const item of found) {
    io.out(`${printable(item.file)}:${item.start.line}:${item.start.column} ${item.grade} ${item.code} ${item.rule}`);
  }
  io.out(`${files} files scanned, ${skipped} skipped, ${found.length} findings`);
}
