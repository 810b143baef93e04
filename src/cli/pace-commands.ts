// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandIo } from './check.ts';
import { drillScenarios, drillUnitHelp, paceDrill } from './pace-drill.ts';
import { runObserver } from './observer.ts';
import { paceSnapshots } from './pace-snapshots.ts';
import {
  halt, kill, paceModes, paceRecover, paceRollback, paceStatus, paceStop, paceTransition,
} from './pace.ts';
import type { UsualOptions } from './usual-options.ts';

const unitHelp = 'mesh, or agent:NAME, type:NAME, workflow:NAME, zone:NAME';

/** `maso kill`, `maso halt` and `maso pace`. */
export function addPace(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  { state, json, signedBy }: UsualOptions,
): void {
  signedBy(program.command('kill'))
    .description('Stop a part of the mesh at once and end its agents; acts on a node that hangs, too.')
    .argument('<unit>', unitHelp)
    .addHelpText('after', '\nExamples:\n  maso kill agent:payments --as alice --key alice.jwk --reason "pays strangers"' +
      '\n  maso kill mesh --as alice --key alice.jwk')
    .action(async (unit: string, options) => exit(await kill({ unit, ...options }, io)));
  signedBy(program.command('halt'))
    .description('Let a part of the mesh end what it began, then stop it, and say what is left.')
    .argument('<unit>', unitHelp)
    .option('--no-wait', 'do not wait for the end of the drain and its report')
    .addHelpText('after', '\nExample:\n  maso halt workflow:claims --as alice --key alice.jwk --reason "release"')
    .action(async (unit: string, options) => exit(await halt({ unit, ...options }, io)));
  addObserver(program, io, exit, { state, json });
  const pace = program.command('pace').description('Phases of agents, workflows and the mesh.');
  addLooks(pace, io, exit, { state, json });
  signedBy(pace.command('transition'))
    .description('Raise a unit to ALTERNATE or CONTINGENCY.')
    .argument('<unit>', unitHelp)
    .argument('<phase>', 'ALTERNATE or CONTINGENCY')
    .addHelpText('after', '\nExample:\n  maso pace transition agent:triage ALTERNATE --as alice --key alice.jwk')
    .action(async (unit: string, phase: string, options) =>
      exit(await paceTransition({ unit, phase, ...options }, io)));
  signedBy(pace.command('recover'))
    .description('Lead a unit one step back, with evidence on record.')
    .argument('<unit>', unitHelp)
    .requiredOption('--root-cause <text>', 'what it was')
    .requiredOption('--remediation <text>', 'what was done about it')
    .option('--baselines <text>', 'which baselines were taken anew; needed out of EMERGENCY', '')
    .addHelpText('after', '\nExample:\n  maso pace recover agent:triage --as carol --key carol.jwk' +
      ' --root-cause "poisoned page" --remediation "page removed" --baselines "30 d anew"')
    .action(async (unit: string, options) => exit(await paceRecover({ unit, ...options }, io)));
  addDrill(pace, io, exit, signedBy);
  for (const [op, says] of [
    ['confirm', 'Make a kill final, as its second person.'],
    ['decline', 'Take a kill back before it is final, as its second person.'],
    ['resume', 'End a halt.'],
  ] as const) {
    signedBy(pace.command(op))
      .description(says)
      .argument('<stop>', 'id of the kill or the halt')
      .addHelpText('after', `\nExample:\n  maso pace ${op} 01JD3K5V7Q8R9S0T1V2W3X4Y5Z --as bob --key bob.jwk`)
      .action(async (stop: string, options) => exit(await paceStop(op, { stop, ...options }, io)));
  }
}

/** What only shows, and signs nothing. */
function addLooks(
  pace: Command,
  io: CommandIo,
  exit: (code: number) => void,
  { state, json }: Pick<UsualOptions, 'state' | 'json'>,
): void {
  pace.command('status')
    .description('Show what is not in Primary, what is under way, and what each agent may do.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso pace status --state .maso')
    .action(async (options) => exit(await paceStatus(options, io)));
  pace.command('modes')
    .description('List what each control does when it fails.')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso pace modes')
    .action((options) => exit(paceModes(options, io)));
  pace.command('rollback')
    .description('Show what emergencies undo, what was undone, and what is left to people.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso pace rollback --state .maso')
    .action(async (options) => exit(await paceRollback(options, io)));
  pace.command('snapshots')
    .description('List what agents stood in when they were contained or ended, and check each against the log.')
    .addOption(state())
    .option('--log <dir>', 'the log, where it is not in the state directory')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso pace snapshots --state .maso')
    .action(async (options) => exit(await paceSnapshots(options, io)));
}

function addObserver(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  { state, json }: Pick<UsualOptions, 'state' | 'json'>,
): void {
  program.command('observer')
    .description('Read the log and consent, or not, to leases for HIGH and CRITICAL, with a key of its own.')
    .argument('<dir>', 'directory of its key, mode 0700')
    .argument('[file]', 'its own copy of the mesh file; without it the key is printed and nothing else')
    .addOption(state())
    .addOption(json())
    .option('--cosign <port>', 'cosign checkpoints of the log at this port, while nothing speaks against the mesh')
    .option('--cosign-host <host>', 'address to listen at for that', '127.0.0.1')
    .addHelpText('after', '\nExamples:\n  maso observer ~/observer\n  maso observer ~/observer security_mesh.yaml')
    .action(async (directory: string, file: string | undefined, options) =>
      exit(await runObserver({ directory, file, ...options }, io)));
}

function addDrill(
  pace: Command,
  io: CommandIo,
  exit: (code: number) => void,
  signedBy: UsualOptions['signedBy'],
): void {
  signedBy(pace.command('drill'))
    .description(`Go through a scenario and back, and keep what was seen: ${drillScenarios.join(', ')}.`)
    .argument('<scenario>', 'isolate, contain and halt act on the running mesh; fraud, claims and faults in simulated time')
    .argument('[unit]', drillUnitHelp)
    .option('--seed <number>', 'of what is simulated')
    .option('--evidence <file>', 'where to keep it; default: DIR/drills/ID.json')
    .addHelpText('after', '\nExamples:\n  maso pace drill isolate agent:triage --as alice --key alice.jwk\n  maso pace drill fraud --seed 7')
    .action(async (scenario: string, unit: string | undefined, options) => {
      if (drillScenarios.includes(scenario)) return exit(await paceDrill({ scenario, unit, ...options }, io));
      io.err(`maso pace drill: there is no scenario ${JSON.stringify(scenario)}`);
      return exit(2);
    });
}
