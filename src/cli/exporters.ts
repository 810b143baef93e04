// SPDX-License-Identifier: Apache-2.0
import { resolve } from 'node:path';
import { systemClock } from '../adapters/clock-system.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import { readExportersStatus, type ExporterReport } from '../process/exporter-status.ts';
import { meshInForce } from '../process/exporter-facts.ts';
import { nodeDirectories } from '../process/directories.ts';
import { startExporters } from '../process/exporters.ts';
import { keepHeapSmall } from '../process/heap.ts';
import type { CommandIo } from './check.ts';
import { sayRefused } from './control.ts';
import { stateDirectoryOf } from './state.ts';
import { untilStopped } from './stopping.ts';

/**
 * `maso exporters run FILE`: runs until it is told to stop, or `maso up` is gone. When another version
 * of the mesh comes into force its exporters start where the ones before them stopped.
 */
export async function exportersRun(
  options: { readonly file: string; readonly state: string },
  io: CommandIo,
): Promise<number> {
  keepHeapSmall();
  const file = resolve(options.file);
  const loaded = readMesh(file);
  if (!loaded.ok) {
    for (const item of loaded.diagnostics) io.err(formatDiagnostic(item));
    return 1;
  }
  const stateDirectory = stateDirectoryOf(options.state, file);
  const { controlSocket } = nodeDirectories(stateDirectory);
  const stopped = untilStopped().then(() => 'stopped' as const);
  for (;;) {
    const { mesh, digest } = await meshInForce(controlSocket, loaded.mesh);
    const log = (line: string): void => io.err(line);
    const running = await startExporters({ mesh, inForce: digest, stateDirectory, log });
    const why = await Promise.race([stopped, running.outdated]);
    await running.close();
    if (why === 'stopped') return 0;
    io.err('exporters: another version of the mesh is in force');
  }
}

/** `maso exporters status`: where each exporter stands. Exit 1 when one is in alarm, or none run. */
export async function exportersStatus(
  options: { readonly state: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const stateDirectory = stateDirectoryOf(options.state, null);
  const status = await readExportersStatus(stateDirectory, systemClock().nowMs());
  if (status === null) return sayRefused('EXPORT_NONE', options.json, io);
  if (options.json) io.out(JSON.stringify(status));
  else {
    if (!status.nodeUp) io.out('the node does not answer; nothing new is exported');
    for (const report of status.exporters) for (const line of linesOf(report)) io.out(line);
  }
  return status.exporters.some(({ alarm }) => alarm) ? 1 : 0;
}

function linesOf(report: ExporterReport): readonly string[] {
  const { name, kind, place, behind, lagMs, delivered, rejected, failures, code, alarm } = report;
  const state = alarm ? 'ALARM' : behind === 0 ? 'up to date' : 'delivering';
  const seconds = (lagMs / 1000).toFixed(1);
  return [
    `${name.padEnd(16)} ${kind.padEnd(12)} ${state}${code === null ? '' : ` (${code})`}`,
    `  ${place}`,
    `  ${behind} entries behind, oldest ${seconds} s; ${delivered} delivered, ` +
      `${rejected} not kept, ${failures} failed attempts`,
  ];
}
