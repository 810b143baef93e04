// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { Option } from 'commander';
import type { CommandIo } from './check.ts';
import { recorderStatus } from './recorder-status.ts';
import { recorderVerify } from './recorder-verify.ts';
import { runWitness } from './witness.ts';

type Shared = { readonly state: () => Option; readonly json: () => Option };

/** `maso recorder ...` and `maso witness`. */
export function addRecorder(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  { state, json }: Shared,
): void {
  const recorder = program.command('recorder').description('The flight recorder.');
  recorder
    .command('status')
    .description('Say how the running recorder is, and how old the newest cosigned checkpoint.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder status --state .maso')
    .action(async (options) => exit(await recorderStatus(options, io)));
  recorder
    .command('verify')
    .description('Verify the log against signed checkpoints: edits, removals, order, truncation.')
    .addOption(state())
    .option('--log <dir>', 'directory of the log; default: the state directory\'s')
    .option('--checkpoint <file...>', 'signed checkpoints; default: the state directory\'s')
    .option('--key <key>', 'verifier key of the log, or a file that holds it; default: the state\'s')
    .option('--witness <key...>', 'verifier keys of witnesses, or files that hold them')
    .option('--quorum <count>', 'how many witnesses must have cosigned; default 1 with --witness')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder verify --state .maso')
    .action(async (options) => exit(await recorderVerify(options, io)));
  program
    .command('witness')
    .description('Cosign the checkpoints of logs that only grow (C2SP tlog-witness over HTTP).')
    .argument('<dir>', 'directory of the witness: its key, and what it cosigned')
    .requiredOption('--log <key...>', 'verifier keys of logs, or files that hold them')
    .option('--name <name>', 'name under which it cosigns; default: made from its key')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port; 0 picks a free one', '8090')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso witness ./witness --log recorder.vkey')
    .action(async (directory: string, options) =>
      exit(await runWitness({ directory, ...options }, io)),
    );
}
