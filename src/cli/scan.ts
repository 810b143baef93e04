// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { dirname, relative, resolve, sep } from 'node:path';
import { readMesh } from '../adapters/mesh-files.ts';
import { formatDiagnostic, MeshError } from '../mesh/diagnostic.ts';
import type { LoadedMesh } from '../mesh/load.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { defaultScannerSettings, type Suppression } from '../mesh/scanner-settings.ts';
import type { Classification } from '../message/envelope.ts';
import { scannerCodes } from '../scanner/codes.ts';
import type { GradedFinding } from '../scanner/finding-list.ts';
import { createScanner, type Scanner } from '../scanner/scan.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import { suppressionDiagnostics } from './check-suppressions.ts';
import type { CommandIo, ExitCode } from './check.ts';
import { failureText } from './failure-text.ts';
import { matchesGlob } from './file-glob.ts';
import { filesUnder, textOf, type FoundFile, type LeftOut } from './scan-files.ts';
import { leftOutNotices, noticeLine, noticeOf, type ScanNotice } from './scan-notices.ts';
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

/** One scan; a longer file is read in parts that overlap, so that nothing is cut in two. */
const partLength = 262_144;
const overlapLength = 4096;
const progressEveryMs = 2_000;
const grades = { note: 0, escalate: 1, 'no-go': 2 } as const;

type Tally = {
  files: number;
  readonly leftOut: Map<LeftOut, string[]>;
  readonly found: FileFinding[];
};

/**
 * `maso scan FILE|DIR`: the deterministic scanners over files, as they run over payloads. Exit 0 when
 * nothing was found, 1 on findings, 2 on wrong usage or a file that cannot be read. Binary files, long
 * ones and links are left out, and said to be. Never prints what it found, only where.
 */
export function scanCommand(options: ScanOptions, io: CommandIo): ExitCode {
  const failAt = asGrade(options.failOn);
  const classification = asClassification(options.classification);
  if (failAt === null || classification === null || (options.json && options.sarif)) {
    const code = 'SCAN_OPTIONS_INVALID';
    io.err(`maso scan: ${code}: ${scannerCodes[code].means} (${scannerCodes[code].mend})`);
    return 2;
  }
  const loaded = options.mesh === undefined ? null : readMesh(resolve(io.directory, options.mesh));
  if (loaded?.ok === false) return refused(loaded, io);
  const notices = loaded === null ? [] : suppressionNotices(loaded, io);
  for (const notice of notices) io.err(noticeLine(notice));
  const mesh = loaded?.mesh ?? null;
  const scannerFor = scannersOf(mesh, options.mesh === undefined ? null : dirname(resolve(io.directory, options.mesh)));
  const tally: Tally = { files: 0, leftOut: new Map(), found: [] };
  try {
    const files = filesUnder(resolve(io.directory, options.target));
    scanFiles(files, { scannerFor, classification, options, io, tally });
  } catch (failure) {
    // What cannot be read was not scanned: nothing is reported, so that nobody takes a part for the whole.
    io.err(`maso scan: ${failureText(failure)}`);
    return 2;
  }
  const leftOut = leftOutNotices(tally.leftOut);
  for (const notice of leftOut) io.err(noticeLine(notice));
  const { version } = scannerOf(mesh, mesh?.scanner?.suppressions ?? []);
  report(tally, version, [...notices, ...leftOut], options, io);
  return tally.found.some(({ grade }) => grades[grade] >= grades[failAt]) ? 1 : 0;
}

function refused(loaded: Extract<LoadedMesh, { ok: false }>, io: CommandIo): ExitCode {
  for (const item of loaded.diagnostics) {
    io.err(formatDiagnostic({ ...item, file: relative(io.directory, item.file) || item.file }));
  }
  const failure = new MeshError('MESH_REFUSED', 'Nothing was scanned.', loaded.diagnostics);
  io.err(`maso scan: ${failureText(failure)}`);
  return 2;
}

/** Of the suppressions that can hold for a file: one with a path is for messages. */
function suppressionNotices(loaded: LoadedMesh, io: CommandIo): readonly ScanNotice[] {
  return suppressionDiagnostics(loaded, Date.now(), ({ path }) => path === null)
    .map((item) => noticeOf({ ...item, file: relative(io.directory, item.file) || item.file }));
}

function scanFiles(
  files: readonly FoundFile[],
  scan: Omit<FileScan, 'scanner'> & { readonly scannerFor: (file: string) => Scanner },
): void {
  const { scannerFor, io, tally } = scan;
  let toldAt = performance.now();
  for (const [index, { path, leftOut }] of files.entries()) {
    const read = leftOut === null ? textOf(path) : { leftOut };
    if ('text' in read) scanFile(path, read.text, { ...scan, scanner: scannerFor(path) });
    else tally.leftOut.set(read.leftOut, [...(tally.leftOut.get(read.leftOut) ?? []), nameOf(path, io)]);
    if (performance.now() - toldAt < progressEveryMs) continue;
    toldAt = performance.now();
    io.err(`${index + 1} of ${files.length} files, ${tally.found.length} findings`);
  }
}

function nameOf(path: string, io: CommandIo): string {
  return relative(io.directory, path) || path;
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
  const uri = nameOf(file, io);
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

function report(
  tally: Tally,
  version: string,
  notices: readonly ScanNotice[],
  options: ScanOptions,
  io: CommandIo,
): void {
  const { files, leftOut, found } = tally;
  if (options.sarif) {
    io.out(JSON.stringify(sarifOf(found, version, notices)));
    return;
  }
  const skipped = [...leftOut.values()].reduce((sum, paths) => sum + paths.length, 0);
  if (options.json) {
    io.out(JSON.stringify({ scanner: version, files, skipped, findings: found, notices }));
    return;
  }
  for (const item of found) {
    io.out(`${printable(item.file)}:${item.start.line}:${item.start.column} ${item.grade} ${item.code} ${item.rule}`);
  }
  io.out(`${files} files scanned, ${skipped} skipped, ${found.length} findings`);
}
