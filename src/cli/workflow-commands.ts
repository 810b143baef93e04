// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandIo } from './check.ts';
import { workflowApprove, workflowDeny, workflowList, workflowShow } from './workflow.ts';
import type { UsualOptions } from './usual-options.ts';

/** `maso workflow`: changes that orchestrators propose to workflows, and what people say of them. */
export function addWorkflow(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  shared: UsualOptions,
): void {
  const workflow = program
    .command('workflow')
    .description('Workflows that orchestrators may change, and the changes that they propose.');
  workflow
    .command('list')
    .description('List edges that workflows may open and close, who may, and what was proposed.')
    .addOption(shared.state())
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso workflow list --state .maso')
    .action(async (options) => exit(await workflowList(options, io)));
  workflow
    .command('show')
    .description('Show a proposed change, and what it changes in the mesh in force.')
    .argument('<id>', 'id of the change, or its first characters')
    .addOption(shared.state())
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso workflow show 01JD3K')
    .action(async (id: string, options) => exit(await workflowShow({ id, ...options }, io)));
  shared.signedBy(workflow.command('approve'))
    .description('Sign the version that a change makes; it is in force then, as after maso reload.')
    .argument('<id>', 'id of the change, or its first characters')
    .addHelpText('after', '\nExample:\n  maso workflow approve 01JD3K --as alice --key alice.jwk')
    .action(async (id: string, options) => exit(await workflowApprove({ id, ...options }, io)));
  shared.signedBy(workflow.command('deny'))
    .description('Say no to a proposed change.')
    .argument('<id>', 'id of the change, or its first characters')
    .addHelpText('after', '\nExample:\n  maso workflow deny 01JD3K --as alice --key alice.jwk')
    .action(async (id: string, options) => exit(await workflowDeny({ id, ...options }, io)));
}
