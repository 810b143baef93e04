// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandIo } from './check.ts';
import { recorderExport } from './recorder-export.ts';
import { recorderOpen } from './recorder-open.ts';
import { recorderOrder } from './recorder-orders.ts';
import { recorderPrune } from './recorder-prune.ts';
import { recorderProve } from './recorder-prove.ts';
import { recorderTail } from './recorder-tail.ts';
import { causalChain, recorderQuery } from './recorder-query.ts';
import { recorderState } from './recorder-state.ts';
import { recorderStatus } from './recorder-status.ts';
import { recorderVerify } from './recorder-verify.ts';
import { runWitness } from './witness.ts';
import { countOf, portOf, type UsualOptions } from './usual-options.ts';

type Place = UsualOptions & {
  readonly io: CommandIo;
  readonly exit: (code: number) => void;
};

const log = 'directory of the log; default: the state directory\'s';

/** `maso recorder ...`, `maso why` and `maso witness`. */
export function addRecorder(
  program: Command,
  io: CommandIo,
  exit: (code: number) => void,
  shared: UsualOptions,
): void {
  const recorder = program.command('recorder').description('The flight recorder.');
  const place = { io, exit, ...shared };
  addProving(recorder, place);
  addAsking(recorder, program, place);
  addOrders(recorder, place);
  addWitness(program, place);
}

function addProving(recorder: Command, { io, exit, state, json }: Place): void {
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
    .option('--quorum <count>', 'how many witnesses must have cosigned; default 1 with --witness', countOf)
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder verify --state .maso')
    .action(async (options) => exit(await recorderVerify(options, io)));
  recorder
    .command('prove')
    .description('Write one entry and the proof that the log holds it (C2SP tlog-proof).')
    .argument('<sequence>', 'position of the entry in the log')
    .option('--out <name>', 'name of the two files, without their endings')
    .option('--checkpoint <file>', 'signed checkpoint; default: the newest cosigned, or the newest')
    .option('--log <dir>', log)
    .addOption(state())
    .addHelpText('after', '\nExample:\n  maso recorder prove 41 --out payment')
    .action(async (sequence: string, options) =>
      exit(await recorderProve({ sequence, ...options }, io)),
    );
  recorder
    .command('export')
    .description('Write the log as C2SP tlog-tiles for any server of static files.')
    .argument('<dir>', 'directory to write to')
    .option('--checkpoint <file>', 'signed checkpoint to go up to; default: the published one')
    .option('--log <dir>', log)
    .addOption(state())
    .addHelpText('after', '\nExample:\n  maso recorder export ./public')
    .action(async (directory: string, options) =>
      exit(await recorderExport({ directory, ...options }, io)),
    );
}

function addAsking(recorder: Command, program: Command, { io, exit, state, json }: Place): void {
  recorder
    .command('tail')
    .description('Show the last entries, and those that come.')
    .option('-n, --lines <count>', 'how many', '20')
    .option('-f, --follow', 'go on until told to stop', false)
    .option('--log <dir>', log)
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder tail --follow')
    .action(async (options) => exit(await recorderTail(options, io)));
  recorder
    .command('query')
    .description('List the newest entries that match, newest first, from an index over the log.')
    .option('--kind <kind>', 'kind of entry, such as tool.intent')
    .option('--actor <actor>', 'who acted: agent:NAME, sidecar:NAME, node, operator:NAME')
    .option('--code <code>', 'code of a refusal or indicator')
    .option('--outcome <outcome>', 'GO, NO-GO or ESCALATE')
    .option('--task <id>', 'task that the entry belongs to')
    .option('--message <id>', 'message that the entry is about')
    .option('--since <date>', 'recorded then or later')
    .option('--until <date>', 'recorded before')
    .option('--limit <count>', 'at most so many', '100')
    .option('--log <dir>', log)
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder query --kind tool.intent --since 2026-01-01')
    .action(async (options) => exit(await recorderQuery(options, io)));
  recorder
    .command('state')
    .description('Show what was in force at a moment: policy, mode, controls, revocations, holds, alarms.')
    .requiredOption('--at <date>', 'the moment')
    .option('--log <dir>', log)
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder state --at 2026-11-21T16:00:00Z')
    .action(async (options) => exit(await recorderState(options, io)));
  recorder
    .command('reach')
    .description('Show everything that a message or tool result led to.')
    .argument('<id>', 'message, call or entry id')
    .option('--log <dir>', log)
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso recorder reach 01JD3K5V7Q8R9S0T1V2W3X4Y5Z')
    .action(async (id: string, options) =>
      exit(await causalChain('forward', { id, ...options }, io)),
    );
  program
    .command('why')
    .description('Show what led to a message or action, back to the first input, and who could stop it.')
    .argument('<id>', 'message, call or entry id')
    .option('--log <dir>', log)
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso why 01JD3K5V7Q8R9S0T1V2W3X4Y5Z --state .maso')
    .action(async (id: string, options) => exit(await causalChain('back', { id, ...options }, io)));
}

/** What an operator signs, and what the log then holds. */
function addOrders(recorder: Command, { io, exit, signedBy }: Place): void {
  signedBy(recorder.command('open'))
    .description('Open one epoch of kept payloads: first ask the custodians, then give their shares.')
    .argument('<epoch>', 'number of the epoch, as entries of kind payload.kept say')
    .option('--share <file...>', 'releases of custodians; without them they are asked')
    .option('--out <name>', 'name of the files of this opening, without their endings')
    .addHelpText(
      'after',
      '\nExamples:\n  maso recorder open 3 --reason "incident 17"' +
        '\n  maso recorder open 3 --reason "incident 17" --share opening-3.*.share',
    )
    .action(async (epoch: string, options) => exit(await recorderOpen({ epoch, ...options }, io)));
  signedBy(recorder.command('erase'))
    .description('Destroy the keys to the kept payloads of one task. No proof changes.')
    .argument('<task>', 'id of the task')
    .addHelpText('after', '\nExample:\n  maso recorder erase 01JD3K5V7Q8R9S0T1V2W3X4Y5Z --reason "request 4"')
    .action(async (subject: string, options) =>
      exit(await recorderOrder('erase', { subject, ...options }, io)),
    );
  signedBy(recorder.command('prune'))
    .description('Take out of the log what is older than retention_days says; every proof stays.')
    .option('--dry-run', 'only say what is due', false)
    .addHelpText('after', '\nExample:\n  maso recorder prune --reason "yearly"')
    .action(async (options) => exit(await recorderPrune(options, io)));
  signedBy(recorder.command('hold'))
    .description('Keep what belongs to a subject, whatever its age, until the hold is released.')
    .argument('<subject>', 'a task, agent:NAME, or all')
    .addHelpText('after', '\nExample:\n  maso recorder hold agent:payments --reason "case 8 C 12/26"')
    .action(async (subject: string, options) =>
      exit(await recorderOrder('hold', { subject, ...options }, io)),
    );
  signedBy(recorder.command('release'))
    .description('End a hold.')
    .argument('<order>', 'id of the order to hold')
    .addHelpText('after', '\nExample:\n  maso recorder release 01JD3K5V7Q8R9S0T1V2W3X4Y5Z --reason "case closed"')
    .action(async (subject: string, options) =>
      exit(await recorderOrder('release', { subject, ...options }, io)),
    );
}

function addWitness(program: Command, { io, exit, json }: Place): void {
  program
    .command('witness')
    .description('Cosign the checkpoints of logs that only grow (C2SP tlog-witness over HTTP).')
    .argument('<dir>', 'directory of the witness: its key, and what it cosigned')
    .requiredOption('--log <key...>', 'verifier keys of logs, or files that hold them')
    .option('--name <name>', 'name under which it cosigns; default: made from its key')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port; 0 picks a free one', portOf, '8090')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso witness ./witness --log recorder.vkey')
    .action(async (directory: string, options) =>
      exit(await runWitness({ directory, ...options }, io)),
    );
}
