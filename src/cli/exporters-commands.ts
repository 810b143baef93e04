// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import type { CommandIo } from './check.ts';
import { exportersRun, exportersStatus } from './exporters.ts';

/** `maso exporters run|status`. */
export function addExporters(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  options: { readonly state: () => Option; readonly json: () => Option },
): void {
  const exporters = program
    .command('exporters')
    .description('Where entries of the flight recorder go: OpenTelemetry, Prometheus, SIEM.');
  exporters
    .command('status')
    .description('Show how far each exporter is; exit code 1 when one is in alarm or none run.')
    .addOption(options.state())
    .addOption(options.json())
    .addHelpText('after', '\nExample:\n  maso exporters status --state .maso')
    .action(async (given) => exit(await exportersStatus(given, io)));
  exporters
    .command('run')
    .description('Run the exporters of a mesh file beside a running node; maso up does it itself.')
    .argument('<file>', 'mesh file')
    .addOption(options.state())
    .addHelpText('after', '\nExample:\n  maso exporters run security_mesh.yaml --state .maso')
    .action(async (file: string, given) => exit(await exportersRun({ file, ...given }, io)));
}
