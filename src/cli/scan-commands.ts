// SPDX-License-Identifier: Apache-2.0
import { Option } from 'commander';
import type { Command } from 'commander';
import type { CommandIo } from './check.ts';
import { scanCommand } from './scan.ts';

/** `maso scan`: the deterministic scanners over files. */
export function addScan(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  json: () => Option,
): void {
  program
    .command('scan')
    .description('Scan files for secrets, personal data, injections and hidden text.')
    .argument('<target>', 'file or folder')
    .addOption(json())
    .option('--sarif', 'print SARIF 2.1.0', false)
    .option('--mesh <file>', 'mesh file whose patterns, packs, suppressions and data policy are used')
    .addOption(
      new Option('--classification <name>', 'classification that the files are judged at')
        .choices(['public', 'internal', 'confidential', 'restricted'])
        .default('internal'),
    )
    .addOption(
      new Option('--fail-on <grade>', 'the least that gives exit code 1')
        .choices(['note', 'escalate', 'no-go'])
        .default('escalate'),
    )
    .option('--person', 'as what a person will read: active content, data in links, pressure', false)
    .addHelpText(
      'after',
      '\nExit codes: 0 nothing found, 1 findings, 2 wrong usage or an unreadable file.' +
        '\n\nOf 256 KB of a file at most 8 places of one rule are told: mend those and scan' +
        '\nagain. The exit code counts all.' +
        '\n\nA suppression of the mesh file that names a `file` holds for the files of that' +
        '\nname alone, below the folder of the mesh file: `file: prompts/*.md`, or' +
        '\n`file: tests/**` for all below. One that names a `path` is about messages, and' +
        '\nholds for no file. One that has ended, ends within 14 days or names no rule is' +
        '\nnamed on standard error, as is what was not scanned.' +
        '\n\nExamples:\n  maso scan prompts/ --mesh security_mesh.yaml' +
        '\n  maso scan . --sarif > maso.sarif',
    )
    .action((target: string, options) => exit(scanCommand({ target, ...options }, io)));
}
