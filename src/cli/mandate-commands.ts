// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import type { CommandIo } from './check.ts';
import { mandateList, mandateRevoke } from './mandate-registry.ts';
import { mandateIssue, mandateNarrow, mandateShow, mandateVerify } from './mandate.ts';

type Exit = (code: number) => void;

/** `maso mandate`: signed delegation contracts. */
export function addMandate(
  program: Command,
  io: CommandIo,
  exit: Exit,
  json: () => Option,
  state: () => Option,
  signedBy: (command: Command) => Command,
): void {
  const mandate = program
    .command('mandate')
    .description('Signed delegation contracts that only narrow.');
  addRegistry(mandate, io, exit, json, state, signedBy);
  mandate
    .command('issue')
    .description('Issue a root mandate from its terms.')
    .argument('<terms>', 'JSON file of the terms')
    .requiredOption('--key <file>', 'operator\'s JWK with --as, else the credential of an agent')
    .option('--as <operator>', 'name of the operator in the mesh file')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso mandate issue terms.json --key alice.jwk --as alice')
    .action(async (terms: string, options) => exit(await mandateIssue({ terms, ...options }, io)));
  mandate
    .command('show')
    .description('Show what a chain says, hop by hop; proves nothing.')
    .argument('<chain>', 'file of the chain, - for standard input, or the id of a registered mandate')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExamples:\n  maso mandate show chain.txt' +
      '\n  maso mandate show 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
    .action(async (chain: string, options) => exit(await mandateShow({ chain, ...options }, io)));
  mandate
    .command('narrow')
    .description('Hand a mandate on, narrower; refuses whatever would widen it.')
    .argument('<chain>', 'file of the chain, - for standard input')
    .argument('<narrowing>', 'JSON file: audience, and what is to be narrower')
    .requiredOption('--key <file>', 'credential file of the holder')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso mandate narrow chain.txt narrower.json --key credential.pem')
    .action(async (chain: string, narrowing: string, options) =>
      exit(await mandateNarrow({ chain, narrowing, ...options }, io)),
    );
  mandate
    .command('verify')
    .description('Verify a whole chain without a round trip; revocations are not asked for.')
    .argument('<chain>', 'file of the chain, - for standard input')
    .requiredOption('--mesh <file>', 'mesh file')
    .requiredOption('--bundle <file>', 'certificates of the authorities, PEM')
    .requiredOption('--task <id>', 'task that the mandate is presented for')
    .requiredOption('--holder <spiffe-id>', 'instance that presents it')
    .option('--nodes <names...>', 'nodes whose control plane issues mandates')
    .option('--approvals <references...>', 'approvals that stand for a depth of three')
    .addOption(json())
    .addHelpText(
      'after',
      '\nExample:\n  maso mandate verify chain.txt --mesh security_mesh.yaml --bundle .maso/bundle.pem \\\n' +
        '    --task 01JD3K5V... --holder spiffe://maso.local/agent/clerk/01JD3K...',
    )
    .action(async (chain: string, options) => exit(await mandateVerify({ chain, ...options }, io)));
}

/** What the node of a running mesh registered. */
function addRegistry(
  mandate: Command,
  io: CommandIo,
  exit: Exit,
  json: () => Option,
  state: () => Option,
  signedBy: (command: Command) => Command,
): void {
  mandate
    .command('list')
    .description('List the mandates that the node registered, newest first.')
    .option('--task <id>', 'only those of one task')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso mandate list --task 01JD3K5V7Q8R9S0T1V2W3X4Y5Z')
    .action(async (options) => exit(await mandateList(options, io)));
  signedBy(mandate.command('revoke'))
    .description('Refuse a mandate and all that were narrowed from it, or all of a task.')
    .argument('[id]', 'id of the mandate')
    .option('--task <id>', 'end a task: every mandate for it is void')
    .addHelpText(
      'after',
      '\nExamples:\n  maso mandate revoke 47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU --as alice --key alice.jwk' +
        '\n  maso mandate revoke --task 01JD3K5V7Q8R9S0T1V2W3X4Y5Z --as alice --key alice.jwk',
    )
    .action(async (id: string | undefined, options) =>
      exit(await mandateRevoke({ ...(id === undefined ? {} : { id }), ...options }, io)),
    );
}
