// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import { approvalsDecide, approvalsList, approvalsProbe, approvalsShow } from './approvals.ts';
import type { CommandIo } from './check.ts';
import type { UsualOptions } from './usual-options.ts';

const decisions = [
  ['approve', 'Release a held action.', '--reason "checked the invoice"'],
  ['deny', 'Refuse a held action.', '--reason "unknown payee"'],
  ['escalate', 'Hand a held action to security, then to the CISO.', '--as alice --key alice.jwk'],
] as const;

/** `maso approvals`: the queue of held actions. */
export function addApprovals(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  { state, json, signedBy }: UsualOptions,
): void {
  const approvals = program.command('approvals').description('Actions that wait for a person.');
  approvals
    .command('list')
    .description('List what waits, the nearest deadline first.')
    .addOption(state())
    .option('--all', 'also what was decided, the newest first', false)
    .option('--search <words>', 'only what has all of these words', '')
    .option('--limit <count>', 'at most so many', '100')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso approvals list --state .maso --search pay_invoice')
    .action(async (options) => exit(await approvalsList(options, io)));
  approvals
    .command('show')
    .description('Show one held action whole, with what its codes mean.')
    .argument('<id>', 'approval id, or its first characters')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso approvals show 01JD3K')
    .action(async (id: string, options) => exit(await approvalsShow({ id, ...options }, io)));
  approvals
    .command('probe')
    .description('Put an unmarked probe among what waits, to see whether people look.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso approvals probe --state .maso')
    .action(async (options) => exit(await approvalsProbe(options, io)));
  for (const [decision, description, example] of decisions) {
    signedBy(approvals.command(decision))
      .description(description)
      .argument('<id>', 'approval id, or its first characters')
      .addHelpText('after', `\nExample:\n  maso approvals ${decision} 01JD3K ${example}`)
      .action(async (id: string, options) =>
        exit(await approvalsDecide({ id, decision, ...options }, io)),
      );
  }
  signedBy(approvals.command('modify'))
    .description('Change a held action; it is judged from the start, and another person decides.')
    .argument('<id>', 'approval id, or its first characters')
    .requiredOption('--parameters <file>', 'JSON object with all parameters to perform instead')
    .addHelpText('after', '\nExample:\n  maso approvals modify 01JD3K --parameters less.json --as alice --key alice.jwk')
    .action(async (id: string, options) =>
      exit(await approvalsDecide({ id, decision: 'modify', ...options }, io)),
    );
}
