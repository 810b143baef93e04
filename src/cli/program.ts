// SPDX-License-Identifier: Apache-2.0
import { Command, CommanderError, Option } from 'commander';
import type { CommandIo } from './check.ts';
import { followNpm } from './stopping.ts';
import { portOf } from './usual-options.ts';

const terminal: CommandIo = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  directory: process.cwd(),
};

/** Runs one command line. Exit codes: 0 done, 1 findings or a refusal, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  followNpm();
  try {
    const program = await buildProgram(terminal, (code) => void (process.exitCode = code), argv[2]);
    await program.parseAsync([...argv]);
  } catch (failure) {
    if (failure instanceof CommanderError) {
      process.exitCode = failure.exitCode === 0 ? 0 : 2;
      return;
    }
    const { failureText } = await import('./failure-text.ts');
    terminal.err(`maso: ${failureText(failure)}`);
    process.exitCode = 1;
  } finally {
    // The pipes to a supervisor would keep this process alive after its work is done.
    if (process.connected) process.disconnect();
    process.stdin.destroy();
  }
}

/**
 * The command line. `named` is its first word: where that is a command, only this one is defined and loaded, which
 * is most of the time that a short command takes and of a start.
 */
export async function buildProgram(io: CommandIo, exit: Exit, named?: string): Promise<Command> {
  const program = new Command('maso')
    .description('A security mesh for fleets of AI agents.')
    .version('0.1.0')
    .exitOverride()
    .configureHelp({ minWidthToWrap: 30 })
    .showHelpAfterError('(maso --help shows the commands)')
    .configureOutput({ writeOut: (text) => io.out(text.trimEnd()), writeErr: (text) => io.err(text.trimEnd()) });
  const asked = families.filter(({ names }) => named !== undefined && names.includes(named));
  for (const { add } of asked.length > 0 ? asked : families) await add(program, io, exit);
  return program;
}

type Family = {
  /** Commands of the first level that it adds. */
  readonly names: readonly string[];
  readonly add: (program: Command, io: CommandIo, exit: Exit) => void | Promise<void>;
};

/** In the order of the help. */
export const families: readonly Family[] = [
  { names: ['up'], add: addUp },
  { names: ['check'], add: addCheck },
  { names: ['reload'], add: addReload },
  { names: ['sidecar'], add: addSidecar },
  { names: ['agent'], add: addAgent },
  {
    names: ['status', 'top'],
    add: async (...to) => (await import('./watch-commands.ts')).addWatch(...to, { state, json }),
  },
  {
    names: ['approvals'],
    add: async (...to) => (await import('./approvals-commands.ts')).addApprovals(...to, { state, json, signedBy }),
  },
  {
    names: ['calls'],
    add: async (...to) => (await import('./calls-commands.ts')).addCalls(...to, { state, json, signedBy }),
  },
  {
    names: ['workflow'],
    add: async (...to) => (await import('./workflow-commands.ts')).addWorkflow(...to, { state, json, signedBy }),
  },
  {
    names: ['knowledge', 'memory'],
    add: async (...to) => (await import('./knowledge-commands.ts')).addKnowledge(...to, { state, json, signedBy }),
  },
  {
    names: ['kill', 'halt', 'observer', 'pace'],
    add: async (...to) => (await import('./pace-commands.ts')).addPace(...to, { state, json, signedBy }),
  },
  { names: ['trace'], add: addTrace },
  { names: ['ledger'], add: addLedger },
  { names: ['intent'], add: addIntent },
  { names: ['contagion'], add: addContagion },
  {
    names: ['recorder', 'why', 'witness'],
    add: async (...to) => (await import('./recorder-commands.ts')).addRecorder(...to, { state, json, signedBy }),
  },
  { names: ['custodian'], add: async (...to) => (await import('./custodian.ts')).addCustodian(...to, json) },
  {
    names: ['exporters'],
    add: async (...to) => (await import('./exporters-commands.ts')).addExporters(...to, { state, json }),
  },
  { names: ['replay'], add: addReplay },
  { names: ['simulate'], add: async (...to) => (await import('./simulate.ts')).addSimulate(...to, json) },
  { names: ['tools'], add: addTools },
  { names: ['scan'], add: async (...to) => (await import('./scan-commands.ts')).addScan(...to, json) },
  {
    names: ['mandate'],
    add: async (...to) => (await import('./mandate-commands.ts')).addMandate(...to, json, state, signedBy),
  },
  { names: ['firewall'], add: async (...to) => (await import('./firewall-commands.ts')).addFirewall(...to, json) },
  { names: ['judge'], add: async (...to) => (await import('./judge.ts')).addJudge(...to, json, state) },
  { names: ['join-token'], add: addJoinToken },
  { names: ['operator'], add: addOperator },
];

type Exit = (code: number) => void;

const state = () =>
  new Option('--state <dir>', 'state directory').default('.maso', '.maso beside the mesh file');
const json = () => new Option('--json', 'print JSON instead of text').default(false);

function addUp(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('up')
    .description('Run a mesh on this machine: bus, control plane, recorder, sidecars.')
    .argument('<file>', 'mesh file')
    .addOption(state())
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'bus port; 0 keeps the last one or picks a free one', portOf, '0')
    .option('--kms <file>', 'names the KMS that wraps the keys of the node (Vault, AWS KMS); a key file when absent')
    .option('--svid <dir>', 'the bus\'s svid.pem, svid_key.pem and bundle.pem, replaced while it runs')
    .option('--uids <range>', 'users for agents and tools, FIRST-LAST, where this runs as root')
    .option('--no-sidecars', 'run the node alone; sidecars are started elsewhere')
    .option('--no-console', 'do not serve the console')
    .option('--console-port <number>', 'port of the console; 0 keeps the last one, else 4848 or a free one', portOf, '0')
    .option('--witness', 'run a witness beside, with its own key and directory', false)
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso up security_mesh.yaml')
    .action(async (file: string, options) => exit(await (await import('./up.ts')).up({ file, ...options }, io)));
}

function addCheck(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('check')
    .description('Report every error of a mesh file with its place and its mend.')
    .argument('[file]', 'mesh file')
    .option('--explain <names...>', 'AGENT ACTION: every rule that lets it ask, or not, and where')
    .option('--test', 'run each *.policy-test.yaml beside the mesh file', false)
    .addOption(json())
    .addHelpText(
      'after',
      '\nExamples:\n  maso check security_mesh.yaml' +
        '\n  maso check --explain triage pay_invoice security_mesh.yaml' +
        '\n  maso check --test security_mesh.yaml',
    )
    .action(async (file: string | undefined, options) =>
      exit(await (await import('./check-line.ts')).checkLine({ file, ...options }, io)),
    );
}

function addReload(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('reload')
    .description('Sign a changed mesh file and put it in force on the running mesh.')
    .argument('<file>', 'mesh file')
    .addOption(state())
    .option('--as <operator>', 'operator who signs, by the name in the mesh file', 'local')
    .option('--key <file>', 'private key (JWK) of the operator; default: the local one')
    .option('--reason <text>', 'why, for the record', '')
    .option('--dry-run', 'say what would change, and change nothing', false)
    .option('--at-restart', 'sign it for the next start, for what running processes hold to', false)
    .addOption(json())
    .addHelpText(
      'after',
      '\nExamples:\n  maso reload security_mesh.yaml --dry-run' +
        '\n  maso reload security_mesh.yaml --as alice --key alice.jwk --reason "new supplier"',
    )
    .action(async (file: string, options) => exit(await (await import('./reload.ts')).reload({ file, ...options }, io)));
}

function addSidecar(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('sidecar')
    .description('Run the sidecar of one agent, and the agent beside it.')
    .argument('<file>', 'mesh file')
    .argument('[command...]', 'program to run as the agent, after --; in the folder of the mesh file')
    .requiredOption('--agent <name>', 'agent of the mesh file')
    .addOption(state())
    .option('--join-token <file>', 'file of mode 0600 with a join token; - reads standard input')
    .option('--svid <dir>', 'instead of a token: svid.pem, svid_key.pem and bundle.pem, replaced while it runs')
    .option('--bus <address>', 'HOST:PORT of the bus, with --svid')
    .option('--tcp <port>', 'listen on a loopback port instead of a unix socket', portOf)
    .option('--agent-uid <uid>', 'run the agent as this user (needs root)')
    .option('--tool-uid <uid>', 'run the tools as this user (needs root)')
    .addOption(new Option('--restart <when>', 'start the agent again when it ends').choices(['always', 'never']).default('never'))
    .addOption(json())
    .addHelpText(
      'after',
      '\nExample:\n  maso sidecar security_mesh.yaml --agent triage --join-token token.txt -- node triage.ts',
    )
    .action(async (file: string, command: string[], options) =>
      exit(await (await import('./sidecar.ts')).runSidecar({ file, command, ...options }, io)),
    );
}

function addAgent(program: Command, io: CommandIo, exit: Exit): void {
  const agent = program.command('agent').description('Agents, their identities, and who is revoked.');
  agent
    .command('list')
    .description('List every agent with its connected instance.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso agent list --state .maso')
    .action(async (options) => exit(await (await import('./agent.ts')).agentList(options, io)));
  agent
    .command('show')
    .description('Show one agent with its certificates and revocations.')
    .argument('<name>', 'agent of the mesh file')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso agent show payments')
    .action(async (name: string, options) => exit(await (await import('./agent.ts')).agentShow({ name, ...options }, io)));
  signedBy(agent.command('revoke'))
    .description('Refuse the next action of an agent, one instance or one certificate.')
    .argument('<target>', 'agent name, SPIFFE id of an instance, or thumbprint of a certificate')
    .addHelpText(
      'after',
      '\nExamples:\n  maso agent revoke payments --as alice --key alice.jwk --reason "sends odd requests"' +
        '\n  maso agent revoke spiffe://maso.local/agent/payments/01JD3K5V7Q8R9S0T1V2W3X4Y5Z --as alice',
    )
    .action(async (target: string, options) => exit(await (await import('./agent.ts')).agentRevoke({ target, ...options }, io)));
  signedBy(agent.command('spawn'))
    .description('Spawn an agent from a template below a connected agent that may have it.')
    .argument('<template>', 'agent of the mesh file with a template section')
    .requiredOption('--parent <name>', 'connected agent with the right to spawn it')
    .option('--task <id>', 'task it takes part in; default: one of its own')
    .option('--lifetime-ms <ms>', 'less than the template allows')
    .addHelpText('after', '\nExample:\n  maso agent spawn helper --parent planner --as alice --key alice.jwk')
    .action(async (template: string, options) => exit(await (await import('./agent.ts')).agentSpawn({ template, ...options }, io)));
  signedBy(agent.command('reinstate'))
    .description('Let a revoked agent join again; instances and certificates stay revoked.')
    .argument('<name>', 'agent of the mesh file')
    .addHelpText('after', '\nExample:\n  maso agent reinstate payments --as alice --key alice.jwk')
    .action(async (name: string, options) => exit(await (await import('./agent.ts')).agentReinstate({ name, ...options }, io)));
}

/** What every command takes that an operator signs. */
function signedBy(command: Command): Command {
  return command
    .addOption(state())
    .option('--as <operator>', 'operator of the mesh file', 'local')
    .option('--key <file>', 'the operator\'s private key (JWK); default: the local operator\'s')
    .option('--reason <text>', 'why; kept in the record', '')
    .addOption(json());
}

function addContagion(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('contagion')
    .description('Show untrusted texts that travel from agent to agent: patient zero, path, reach.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso contagion --state .maso')
    .action(async (options) => exit(await (await import('./contagion.ts')).contagion(options, io)));
}

function addTrace(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('trace')
    .description('Rebuild one request as a decision trace.')
    .argument('<id>', 'task, message, approval or entry id, or its first 8 characters or more')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso trace 01JD3K5V --state .maso')
    .action(async (id: string, options) => exit(await (await import('./trace.ts')).trace({ id, ...options }, io)));
}

function addLedger(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('ledger')
    .description('What a task cost: hops, controls, time, tokens, money; and with a judge on each hop.')
    .argument('<task>', 'id of the task, a message or an entry of it, or at least 8 characters of one')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso ledger 01JD3K5V --state .maso')
    .action(async (task: string, options) => exit(await (await import('./ledger.ts')).ledger({ task, ...options }, io)));
}

function addIntent(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('intent')
    .description('How far each agent keeps to its OISpec, from 0 to 100; the least aligned first.')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso intent --state .maso')
    .action(async (options) => exit(await (await import('./intent.ts')).intent(options, io)));
}

function addReplay(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('replay')
    .description('Send each text of a labelled corpus through a live mesh and count the verdicts.')
    .argument('<file>', 'JSON lines with id, text, label and channel; .gz is unpacked')
    .option('--limit <count>', 'only the first texts', '0')
    .option('--rate <perSecond>', 'texts a second, whether answered or not; 0: one after the other', '0')
    .option('--state <dir>', 'keep the mesh\'s state here instead of a temporary directory')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso replay corpus.jsonl.gz --limit 500')
    .action(async (file: string, options) => exit(await (await import('./replay.ts')).replay({ file, ...options }, io)));
}

function addTools(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('tools')
    .description('Tools behind the gate.')
    .command('pin')
    .description('Start each tool once and write hashes of its program, texts and schemas.')
    .argument('<file>', 'mesh file')
    .option('--check', 'compare with the pin file and write nothing', false)
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso tools pin security_mesh.yaml')
    .action(async (file: string, options) => exit(await (await import('./tools.ts')).toolsPin({ file, ...options }, io)));
}

function addJoinToken(program: Command, io: CommandIo, exit: Exit): void {
  program
    .command('join-token')
    .description('Make a token with which one sidecar of an agent joins the running mesh, once.')
    .argument('<agent>', 'agent of the mesh file')
    .addOption(state())
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso join-token triage --state .maso')
    .action(async (agent: string, options) => exit(await (await import('./join-token.ts')).joinToken({ agent, ...options }, io)));
}

function addOperator(program: Command, io: CommandIo, exit: Exit): void {
  const operator = program.command('operator').description('People who decide.');
  operator
    .command('keygen')
    .description('Make an operator\'s key, and print the public half for the mesh file.')
    .argument('<file>', 'where the private key (JWK, mode 0600) goes; never overwritten')
    .option('--name <operator>', 'name of the operator in the mesh file', 'NAME')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso operator keygen alice.jwk --name alice')
    .action(async (file: string, options) => exit(await (await import('./operator.ts')).operatorKeygen({ file, ...options }, io)));
  operator
    .command('passkey')
    .description('Print a one-time link to the console, and endorse the passkey registered with it.')
    .addOption(state())
    .option('--as <operator>', 'operator of the mesh file', 'local')
    .option('--key <file>', 'the operator\'s private key (JWK); default: the local operator\'s')
    .option('--days <days>', 'how long the passkey may sign', '90')
    .addOption(json())
    .addHelpText('after', '\nExample:\n  maso operator passkey --as alice --key alice.jwk')
    .action(async (options) => exit(await (await import('./operator-passkey.ts')).operatorPasskey(options, io)));
}
