// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline';
import { chown, writeFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { readOwnerOnly } from '../adapters/credential-file.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { ControlError } from '../control/control-error.ts';
import { parseJoinToken } from '../identity/join-token.ts';
import { formatDiagnostic } from '../mesh/diagnostic.ts';
import type { GivenIdentity } from '../process/sidecar-identity.ts';
import { startSidecar } from '../process/sidecar.ts';
import type { RunningSidecar } from '../process/sidecar-options.ts';
import type { OfferedToken } from '../sidecar/agent-sidecar.ts';
import type { CommandIo } from './check.ts';
import { settleProcess } from './settle-process.ts';
import { stateDirectoryOf } from './state.ts';
import { onStop } from './stopping.ts';

type SidecarCommand = {
  readonly file: string;
  readonly command: readonly string[];
  readonly agent: string;
  readonly state: string;
  readonly joinToken?: string;
  readonly svid?: string;
  readonly bus?: string;
  readonly tcp?: string;
  readonly agentUid?: string;
  readonly toolUid?: string;
  readonly restart: 'always' | 'never';
  readonly json: boolean;
};

/** What a sidecar tells its supervisor over the process channel once it serves. */
export type SidecarReady = {
  readonly kind: 'ready';
  readonly agent: string;
  readonly address: string | null;
  readonly isolation: string;
  readonly tokenFile: string | null;
};

/** `maso sidecar`: runs until it is told to stop, or its supervisor is gone. */
export async function runSidecar(options: SidecarCommand, io: CommandIo): Promise<number> {
  settleProcess(io);
  const file = resolve(options.file);
  // A file that cannot be loaded does not end a sidecar that knows the version in force.
  const loaded = readMesh(file);
  if (!loaded.ok) for (const item of loaded.diagnostics) io.err(formatDiagnostic(item));
  const supervised = options.joinToken === '-';
  const given = supervised ? givenBy(await firstLine(), options) : await givenByHand(options);
  if (given === null) {
    // Whoever started this process to wait needs it no more.
    io.err(`sidecar of ${options.agent}: no join token came on standard input`);
    return 1;
  }
  const running = await startSidecar({
    mesh: loaded.ok ? loaded.mesh : null,
    directory: dirname(file),
    agent: options.agent,
    stateDirectory: stateDirectoryOf(options.state, file),
    joinToken: given.joinToken,
    svid: givenIdentity(options),
    command: options.command.length > 0 ? options.command : null,
    restart: options.restart,
    agentIdentity: given.agent,
    agentUidIsOwn: given.agentUidIsOwn,
    toolIdentity: given.tools,
    listen: options.tcp === undefined ? 'socket' : { port: Number(options.tcp) },
    log: (line) => io.err(line),
  });
  const tokenFile = await offerIn(running, options, given, io);
  running.whenBack(async () => void (await offerIn(running, options, given, io)));
  announce(running, tokenFile, options, io);
  const ended = await Promise.race([untilStopped(supervised), running.ended]);
  await running.close();
  if (ended === undefined) return 0;
  io.err(`${ended}: the sidecar of ${options.agent} ends; start it again with a join token.`);
  return 1;
}

/** An agent that the sidecar does not start itself finds its one-time token in a private file. */
async function offerIn(
  running: RunningSidecar,
  options: SidecarCommand,
  given: Given,
  io: CommandIo,
): Promise<string | null> {
  if (options.command.length > 0 || running.address === null) return null;
  const directory = running.address.startsWith('http') ? null : dirname(running.address);
  const tokenFile = directory === null ? null : join(directory, 'token');
  const offered = await running.offerToken();
  if (tokenFile === null) io.err(`token ${offered.token}`);
  else await offer(tokenFile, offered, given.agent);
  return tokenFile;
}

function announce(
  running: RunningSidecar,
  tokenFile: string | null,
  options: SidecarCommand,
  io: CommandIo,
): void {
  const ready: SidecarReady = {
    kind: 'ready',
    agent: running.agent,
    address: running.address,
    isolation: running.isolation,
    tokenFile,
  };
  process.send?.(ready);
  if (options.json) io.out(JSON.stringify(ready));
  else if (process.send === undefined) {
    io.out(`sidecar of ${ready.agent} on ${ready.address} (isolation: ${ready.isolation})`);
    if (tokenFile !== null) io.out(`one-time token in ${tokenFile}`);
  }
}

/**
 * Only the agent's own user may read its token; not even that while a session lives, because the
 * process of that session could use it to shed its label.
 */
async function offer(
  file: string,
  { token, sessionLives }: OfferedToken,
  identity: User | null,
): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, token, { mode: 0o600, flag: 'wx' });
  if (identity !== null && !sessionLives) await chown(file, identity.uid, identity.gid);
}

type User = { readonly uid: number; readonly gid: number };

/** What a sidecar starts with. */
type Given = {
  readonly joinToken: string | null;
  readonly agent: User | null;
  /** Nobody else runs as that user, so that what is left under it may be ended. */
  readonly agentUidIsOwn: boolean;
  readonly tools: User | null;
};

/** `TOKEN [AGENT_UID TOOL_UID]`, as a supervisor writes it; null for an empty line. */
function givenBy(line: string, byHand: SidecarCommand): Given | null {
  const [joinToken = '', agentUid, toolUid] = line.split(' ');
  if (joinToken === '') return null;
  return {
    joinToken,
    agent: identityOf(agentUid ?? byHand.agentUid),
    agentUidIsOwn: agentUid !== undefined,
    tools: identityOf(toolUid ?? byHand.toolUid),
  };
}

async function givenByHand({ joinToken, agentUid, toolUid }: SidecarCommand): Promise<Given> {
  const token = await tokenFrom(joinToken ?? null);
  return {
    joinToken: token === '' ? null : token,
    agent: identityOf(agentUid), agentUidIsOwn: false, tools: identityOf(toolUid),
  };
}

function identityOf(uid: string | undefined): User | null {
  if (uid === undefined) return null;
  const number = Number(uid);
  if (!Number.isSafeInteger(number) || number < 1) throw new Error('A uid is a positive number.');
  return { uid: number, gid: number };
}

/** `--svid DIR --bus HOST:PORT`: an identity out of files, and the node that it is for. */
function givenIdentity({ svid, bus }: SidecarCommand): GivenIdentity | null {
  if (svid === undefined) return null;
  const [, busHost = '', port = ''] = /^(.+):([0-9]{1,5})$/.exec(bus ?? '') ?? [];
  if (busHost === '') throw new Error('--svid needs --bus HOST:PORT.');
  return { directory: resolve(svid), busHost, busPort: Number(port) };
}

/** From a file for its owner alone: what stands on a command line is seen by every user. */
async function tokenFrom(file: string | null): Promise<string | null> {
  if (file === null) return null;
  const read = parseJoinToken(file).ok ? null : await readOwnerOnly(resolve(file));
  if (read?.state === 'read') return read.bytes.toString('utf8').trim();
  throw new ControlError('CONTROL_TOKEN_EXPOSED', 'The join token is no file of mode 0600.');
}

function firstLine(): Promise<string> {
  return new Promise((resolve) => {
    const lines = createInterface({ input: process.stdin });
    lines.once('line', (line) => {
      resolve(line.trim());
      lines.close();
    });
    lines.once('close', () => resolve(''));
  });
}

/** A supervised sidecar ends with its supervisor: its standard input closes. */
function untilStopped(supervised: boolean): Promise<undefined> {
  return new Promise((resolve) => {
    onStop(() => resolve(undefined));
    if (supervised) {
      process.stdin.resume();
      process.stdin.once('end', () => resolve(undefined));
      process.stdin.once('close', () => resolve(undefined));
    }
  });
}
