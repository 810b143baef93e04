// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { createOwnerOnly, makeOwnerOnlyDirectory, readOwnerOnly } from '../adapters/credential-file.ts';
import { ExportCursorFile } from '../adapters/export-cursor-file.ts';
import { ExportLogSource } from '../adapters/export-source.ts';
import { makeExporter, placeOf } from '../adapters/exporter-factory.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordLogReader } from '../adapters/record-log-segments.ts';
import { EntryView } from '../exporter/entry-view.ts';
import { ExporterError } from '../exporter/exporter-error.ts';
import { measureNode, type MetricSink, type NodeFacts } from '../exporter/metrics.ts';
import { ExportPump, type PumpStatus } from '../exporter/pump.ts';
import type { ExporterManifest, Mesh } from '../mesh/mesh.ts';
import { codeEntry } from './codes.ts';
import { nodeDirectories } from './directories.ts';
import { askNodeFacts } from './exporter-facts.ts';
import { statusFile, type ExporterReport, type ExportersStatus } from './exporter-status.ts';
import { faultOf } from './fault.ts';

export type ExportersOptions = {
  readonly mesh: Mesh;
  /** Digest of the version in force that `mesh` stands for; by default its own. */
  readonly inForce?: string;
  readonly stateDirectory: string;
  readonly log: (line: string) => void;
};

export type RunningExporters = {
  /** Resolves when the node says that another version of the mesh is in force. */
  readonly outdated: Promise<void>;
  readonly status: () => ExportersStatus;
  readonly close: () => Promise<void>;
};

const askEveryMs = 500;
const tickMs = 1_000;
const startAgainMs = 5_000;
/** More than this behind is an alarm. */
const lagAlarmMs = 5_000;
const lagCode = 'EXPORT_LAGGING';
/** Codes that are an alarm at once, however small the lag. */
const standstills: ReadonlySet<string> = new Set([
  'EXPORT_CURSOR_AHEAD', 'EXPORT_CURSOR_UNWRITABLE', 'EXPORT_LOG_BROKEN',
]);
const keyBytes = 32;

const timer = (delayMs: number, run: () => void): (() => void) => {
  const armed = setTimeout(run, delayMs);
  return () => clearTimeout(armed);
};

/**
 * Runs the exporters of a mesh over the log of a state directory, in a process that holds none of
 * the mesh's keys. It reads the log's files and asks the node how much of them is durable; the node
 * neither knows nor waits. Rejects when the log or the exporters' own directory cannot be opened.
 */
export async function startExporters(options: ExportersOptions): Promise<RunningExporters> {
  const directories = nodeDirectories(options.stateDirectory);
  if (!(await makeOwnerOnlyDirectory(directories.exporters))) {
    const message = 'The directory of the exporters may be entered by others.';
    throw new ExporterError('EXPORT_CREDENTIAL_UNREADABLE', message);
  }
  const reader = await openRecordLogReader(directories.log);
  const view = new EntryView({
    mesh: options.mesh,
    log: reader.name,
    key: await keyOf(join(directories.exporters, 'export.key')),
    isCode: (code) => codeEntry(code) !== null,
  });
  const running = new Exporters(options, directories, (durable) =>
    new ExportLogSource(reader, view, durable),
  );
  await running.begin();
  return running;
}

type Line = {
  readonly manifest: ExporterManifest;
  pump: ExportPump | null;
  sink: MetricSink | null;
  /** Why it has not started; null once it has. */
  startCode: string | null;
  startedAtMs: number;
  alarmed: boolean;
};

class Exporters implements RunningExporters {
  readonly #options: ExportersOptions;
  readonly #directories: ReturnType<typeof nodeDirectories>;
  readonly #clock = systemClock();
  readonly #source: ExportLogSource;
  readonly #lines: readonly Line[];
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #outdated = Promise.withResolvers<void>();
  #facts: NodeFacts | null = null;
  #durable: number | null = null;
  #asking = false;
  #closed = false;

  constructor(
    options: ExportersOptions,
    directories: ReturnType<typeof nodeDirectories>,
    source: (durable: () => number | null) => ExportLogSource,
  ) {
    this.#options = options;
    this.#directories = directories;
    this.#source = source(() => this.#durable);
    this.#lines = [...(options.mesh.exporters?.values() ?? [])].map((manifest) => ({
      manifest, pump: null, sink: null, startCode: null, startedAtMs: 0, alarmed: false,
    }));
  }

  async begin(): Promise<void> {
    await this.#ask();
    await Promise.all(this.#lines.map((line) => this.#startLine(line)));
    this.#timers.push(setInterval(() => void this.#ask(), askEveryMs));
    this.#timers.push(setInterval(() => void this.#tick(), tickMs));
    await this.#tick();
  }

  get outdated(): Promise<void> {
    return this.#outdated.promise;
  }

  status(): ExportersStatus {
    return {
      at: this.#clock.nowMs(),
      pid: process.pid,
      nodeUp: this.#facts !== null,
      exporters: this.#lines.map((line) => this.#reportOf(line)),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const running of this.#timers) clearInterval(running);
    await Promise.all(this.#lines.map(({ pump }) => pump?.stop()));
  }

  async #ask(): Promise<void> {
    if (this.#asking) return;
    this.#asking = true;
    const facts = await askNodeFacts(this.#directories.controlSocket);
    this.#facts = facts;
    this.#asking = false;
    if (facts === null) return;
    this.#durable = facts.entries;
    const { mesh, inForce = mesh.digest } = this.#options;
    if (facts.policyDigest !== inForce) this.#outdated.resolve();
  }

  async #startLine(line: Line): Promise<void> {
    const { manifest } = line;
    line.startedAtMs = this.#clock.nowMs();
    try {
      const { exporter, sink } = await makeExporter(manifest, this.#source.log);
      if (this.#closed) return await exporter.close();
      line.sink = sink;
      line.pump = new ExportPump({
        exporter,
        source: this.#source,
        cursor: new ExportCursorFile(join(this.#directories.exporters, `${manifest.name}.cursor`)),
        clock: this.#clock,
        random: systemRandom,
        timer,
      });
      line.pump.start();
      line.startCode = null;
    } catch (failure) {
      // The others run; this one is tried again and its alarm says why.
      line.startCode = faultOf(failure);
    }
  }

  async #tick(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const line of this.#lines) {
      if (line.pump === null && nowMs - line.startedAtMs >= startAgainMs) void this.#startLine(line);
    }
    const status = this.status();
    for (const [index, line] of this.#lines.entries()) {
      const report = status.exporters[index];
      if (report !== undefined) this.#alarm(line, report);
    }
    for (const { sink } of this.#lines) if (sink !== null) this.#measure(status, sink);
    const file = join(this.#directories.exporters, statusFile);
    try {
      await writeFile(`${file}.new`, JSON.stringify(status), { mode: 0o600 });
      await rename(`${file}.new`, file);
    } catch {
      // Nobody can read the status then; an old one is shown as old.
      return;
    }
  }

  #measure(status: ExportersStatus, sink: MetricSink): void {
    measureNode(this.#facts, status.at, sink);
    for (const report of status.exporters) {
      const labels = { exporter: report.name };
      sink.set('maso_exporter_behind_entries', labels, report.behind);
      sink.set('maso_exporter_lag_seconds', labels, report.lagMs / 1000);
      sink.set('maso_exporter_alarm', labels, report.alarm ? 1 : 0);
      sink.set('maso_exporter_delivered_entries', labels, report.delivered);
      sink.set('maso_exporter_rejected_entries', labels, report.rejected);
    }
  }

  /** Said once when it begins and once when it ends. */
  #alarm(line: Line, report: ExporterReport): void {
    if (report.alarm === line.alarmed) return;
    line.alarmed = report.alarm;
    const seconds = Math.round(report.lagMs / 1000);
    const why = report.code === null ? '' : ` (${report.code})`;
    this.#options.log(
      report.alarm
        ? `exporter ${report.name}: ${lagCode}, ${report.behind} entries, ${seconds} s${why}`
        : `exporter ${report.name}: caught up`,
    );
  }

  #reportOf({ manifest, pump, startCode }: Line): ExporterReport {
    const idle: PumpStatus = {
      next: 0, behind: this.#durable ?? 0, lagMs: 0, delivered: 0, rejected: 0, failures: 0,
      code: startCode,
    };
    const status = pump?.status() ?? idle;
    const stuck = status.code !== null && (pump === null || standstills.has(status.code));
    const alarm = stuck || status.lagMs > lagAlarmMs;
    return { name: manifest.name, kind: manifest.kind, place: placeOf(manifest), alarm, ...status };
  }
}

async function keyOf(path: string): Promise<Uint8Array> {
  await createOwnerOnly(path, randomBytes(keyBytes));
  const file = await readOwnerOnly(path);
  if (file.state === 'read' && file.bytes.length === keyBytes) return file.bytes;
  throw new ExporterError('EXPORT_CREDENTIAL_UNREADABLE', 'The exporters\' key cannot be used.');
}
