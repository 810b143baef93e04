// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';
import type { CommandIo } from './check.ts';
import { knowledgeAct, knowledgeIngest, knowledgeList, knowledgeVerify } from './knowledge.ts';

type Shared = {
  readonly state: () => Option;
  readonly json: () => Option;
  readonly signedBy: (command: Command) => Command;
};

/** `maso knowledge`: what agents may look up. `maso memory`: what they remember. */
export function addKnowledge(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  shared: Shared,
): void {
  const knowledge = program
    .command('knowledge')
    .description('Documents that agents may look up: take them in, list, verify, put aside.');
  shared.signedBy(knowledge.command('ingest'))
    .description('Take documents into a source; a later one of the same file name replaces the earlier.')
    .argument('<source>', 'name of the source in the mesh file')
    .argument('<files...>', 'text files')
    .option('--classification <name>', 'of these documents, where it is above that of the source')
    .option('--readers <agents>', 'agents that may see them, with commas between; else all readers')
    .addHelpText('after', '\nExample:\n  maso knowledge ingest guidelines handbook.md --as alice --key alice.jwk')
    .action(async (source: string, files: string[], options) =>
      exit(await knowledgeIngest({ source, files, ...options }, io)));
  listCommand(knowledge, 'source', 'source', 'List what a source holds, and what was found about it.', shared)
    .addHelpText('after', '\nExample:\n  maso knowledge list guidelines --state .maso')
    .action(async (source: string | undefined, options) =>
      exit(await knowledgeList({ ...options, shelf: `source/${source ?? ''}` }, io)));
  knowledge
    .command('verify')
    .description('Compare everything that is kept with what was taken in, and name what is stale or replaced.')
    .addOption(shared.state())
    .addOption(shared.json())
    .addHelpText('after', '\nExample:\n  maso knowledge verify --state .maso')
    .action(async (options) => exit(await knowledgeVerify(options, io)));
  addActs(knowledge, 'knowledge', io, exit, shared);
  const memory = program
    .command('memory')
    .description('What agents remember: list it, and put entries aside with all that follows from them.');
  listCommand(memory, 'agent', 'agent', 'List entries of an agent, or of all.', shared)
    .addHelpText('after', '\nExample:\n  maso memory list triage --state .maso')
    .action(async (agent: string | undefined, options) =>
      exit(await knowledgeList({ ...options, shelf: `memory/${agent ?? ''}` }, io)));
  addActs(memory, 'memory', io, exit, shared);
}

function listCommand(
  parent: Command,
  argument: string,
  means: string,
  description: string,
  shared: Shared,
): Command {
  return parent
    .command('list')
    .description(description)
    .argument(`[${argument}]`, `name of the ${means}; else all`)
    .addOption(shared.state())
    .addOption(shared.json());
}

function addActs(
  parent: Command,
  name: string,
  io: CommandIo,
  exit: (code: number) => void,
  shared: Shared,
): void {
  shared.signedBy(parent.command('quarantine'))
    .description('Put an item aside with everything that follows from it, and end the runs that read of it.')
    .argument('<id>', 'id of the item, or of a message')
    .addHelpText('after', `\nExample:\n  maso ${name} quarantine 01JD3K4Z5A6B7C8D9E0F1G2H3J --as alice --key alice.jwk`)
    .action(async (id: string, options) => exit(await knowledgeAct({ act: 'quarantine', id, ...options }, io)));
  shared.signedBy(parent.command('clear'))
    .description('Serve an item again in which something was found, or that was put aside.')
    .argument('<id>', 'id of the item')
    .addHelpText('after', `\nExample:\n  maso ${name} clear 01JD3K4Z5A6B7C8D9E0F1G2H3J --as alice --key alice.jwk`)
    .action(async (id: string, options) => exit(await knowledgeAct({ act: 'clear', id, ...options }, io)));
}
