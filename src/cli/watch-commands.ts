// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import type { CommandIo } from './check.ts';
import { status } from './status.ts';
import { top } from './top.ts';

/** `maso status` and `maso top`: how the mesh stands, once and live. */
export function addWatch(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  shared: { readonly state: () => Option; readonly json: () => Option },
): void {
  program
    .command('status')
    .description('Say how the mesh stands. Exit code 1 when something needs a person.')
    .addOption(shared.state())
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso status --state .maso')
    .action(async (options) => exit(await status(options, io)));
  program
    .command('top')
    .description('Show how the mesh stands and what just happened, again and again.')
    .addOption(shared.state())
    .option('--every <seconds>', 'between two looks', '2')
    .option('--count <count>', 'looks; 0 goes on until it is stopped', '0')
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso top --state .maso --every 1')
    .action(async (options) => exit(await top(options, io)));
}
