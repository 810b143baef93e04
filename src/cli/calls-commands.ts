// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { callsList, callsSettle } from './calls.ts';
import type { CommandIo } from './check.ts';
import type { UsualOptions } from './usual-options.ts';

/** `maso calls`: tool calls whose outcome nobody knows, and what people find out about them. */
export function addCalls(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  shared: UsualOptions,
): void {
  const calls = program
    .command('calls')
    .description('Tool calls in doubt: a crash or the tool hid their outcome.');
  calls
    .command('list')
    .description('List the calls in doubt of every connected executor.')
    .addOption(shared.state())
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso calls list --state .maso')
    .action(async (options) => exit(await callsList(options, io)));
  shared.signedBy(calls.command('settle'))
    .description('Say how a call in doubt ended, after looking at the tool. Needs a reason.')
    .argument('<id>', 'id of the call, or its first characters')
    .option('--done', 'it had its effect: a repeated request is answered DONE, without a result')
    .option('--not-run', 'it had no effect: the request may be made again, its charge comes back')
    .addHelpText(
      'after',
      '\nExamples:\n  maso calls settle 01JD3K --done --as alice --key alice.jwk --reason "ledger shows T42"' +
        '\n  maso calls settle 01JD3K --not-run --as alice --key alice.jwk --reason "not in the ledger"',
    )
    .action(async (id: string, options) => exit(await callsSettle({ id, ...options }, io)));
}
