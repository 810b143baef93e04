// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { HostileAgent } from '../mesh-harness/agent-line.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import {
  isRoot, killSidecar, maso, MeshFolder, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

/** Tries everything that lies beside an agent, as the agent's own user, and tells what worked. */
const probe = `
import { readFileSync, readdirSync, writeFileSync, symlinkSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
const { paths, sockets, directories, pids } = JSON.parse(process.argv[2]);
const tried = {};
const attempt = (name, run) => {
  try { run(); tried[name] = 'worked'; } catch (failure) { tried[name] = failure.code; }
};
for (const path of paths) attempt('read ' + path, () => readFileSync(path));
for (const directory of directories) {
  attempt('list ' + directory, () => readdirSync(directory));
  attempt('write ' + directory, () => writeFileSync(directory + '/planted', 'x'));
  attempt('link ' + directory, () => symlinkSync('/etc/passwd', directory + '/token2'));
  attempt('replace ' + directory, () => unlinkSync(directory + '/agent.sock'));
}
for (const pid of pids) {
  attempt('signal ' + pid, () => process.kill(pid, 0));
  attempt('memory ' + pid, () => readFileSync('/proc/' + pid + '/mem'));
  attempt('environment ' + pid, () => readFileSync('/proc/' + pid + '/environ'));
}
for (const path of sockets) {
  tried['connect ' + path] = await new Promise((resolve) => {
    const socket = connect(path, () => { socket.destroy(); resolve('worked'); });
    socket.on('error', (failure) => resolve(failure.code));
  });
}
console.log(JSON.stringify({ uid: process.getuid(), tried }));
`;

describe.skipIf(!isRoot)('agents under users of their own (needs root)', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let node: string;

  beforeAll(async () => {
    folder = await MeshFolder.create(attackMesh(makePeople()));
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
    writeFileSync(join(folder.directory, 'probe.mjs'), probe);
    node = isPassable(process.execPath) ? process.execPath : join(folder.directory, 'node');
    if (node !== process.execPath) copyFileSync(process.execPath, node);
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const sidecars = () => mesh.ready['sidecars'] as readonly JsonObject[];
  /** Certificates alone, for everybody who verifies. */
  const bundle = (): string => join(folder.state, 'bundle.pem');
  const uidOf = (agent: string): number => statSync(join(folder.state, 'run', agent)).gid;

  async function tried(
    uid: number,
    what: JsonObject,
  ): Promise<{ readonly [name: string]: string }> {
    const child = spawn(node, [join(folder.directory, 'probe.mjs'), JSON.stringify(what)], {
      uid, gid: uid, env: {}, cwd: folder.directory, stdio: ['ignore', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.on('data', (text: Buffer) => (out += text.toString()));
    await new Promise((resolve) => child.once('close', resolve));
    const told = JSON.parse(out) as { uid: number; tried: { [name: string]: string } };
    expect(told.uid).toBe(uid);
    return told.tried;
  }

  it('are told that their isolation is uid', () => {
    for (const sidecar of sidecars()) expect(sidecar['isolation']).toBe('uid');
    expect(new Set(sidecars().map((one) => uidOf(String(one['agent'])))).size).toBe(4);
    for (const sidecar of sidecars()) expect(uidOf(String(sidecar['agent']))).toBeGreaterThan(0);
  });

  it('DP-T2.4: cannot read keys, state, memory, log, tokens or books, nor enter their folders', async () => {
    const files = await until('the state', () => filesUnder(folder.state));
    const own = join(folder.state, 'run', 'reader', 'token');
    const secret = files.filter((path) => !path.endsWith('.sock') && path !== own && path !== bundle());
    expect(readFileSync(bundle(), 'utf8')).not.toContain('PRIVATE KEY');
    expect(secret.length).toBeGreaterThan(15);
    const results = await tried(uidOf('reader'), {
      paths: secret, sockets: [], pids: [],
      directories: ['', 'node', 'node/authority', 'log', 'checkpoints', 'operators', 'control',
        'sidecars', 'sidecars/reader', 'sidecars/payments', 'run', 'run/reader', 'run/payments']
        .map((name) => join(folder.state, name)),
    });
    const worked = Object.entries(results).filter(([, result]) => result === 'worked');
    expect(worked).toEqual([]);
  });

  /** The user of the tools, as the folder of their files says. */
  const toolsOf = (agent: string): number => statSync(join(folder.state, 'tools', agent)).uid;

  it('have tools under users of their own, as which these really run', async () => {
    const uid = toolsOf('payments');
    expect(uid).toBeGreaterThan(0);
    expect(sidecars().map((one) => uidOf(String(one['agent'])))).not.toContain(uid);
    const bank = readdirSync('/proc').filter((pid) => /^[0-9]+$/.test(pid)).filter((pid) => isOfUser(pid, uid));
    expect(bank).toHaveLength(1);
    expect(readFileSync(`/proc/${bank[0]}/cmdline`, 'utf8')).toContain('bank.sqlite');
    expect(readFileSync(`/proc/${bank[0]}/status`, 'utf8')).toMatch(/^Groups:\s*$/m);
    const own = join(folder.state, 'tools', 'payments');
    const results = await tried(uid, { paths: [], sockets: [], pids: [], directories: [own] });
    expect(results[`write ${own}`]).toBe('worked');
  });

  it('have tools that read no key of a sidecar, no secret, and no file of other tools', async () => {
    const uid = toolsOf('payments');
    const files = filesUnder(folder.state).filter((path) => !path.endsWith('.sock') && path !== bundle());
    const own = join(folder.state, 'tools', 'payments');
    const foreign = files.filter((path) => !path.startsWith(own));
    expect(foreign.some((path) => path.endsWith('sidecars/payments/credential.pem'))).toBe(true);
    expect(foreign.some((path) => path.endsWith('secrets/bank-ledger.secret'))).toBe(true);
    const pids = [mesh.pid, ...sidecars().map((one) => Number(one['pid']))];
    const sockets = [...sidecars().map((one) => String(one['address'])), join(folder.state, 'control', 'node.sock')];
    const results = await tried(uid, {
      paths: foreign, sockets, pids,
      directories: ['', 'node', 'log', 'control', 'sidecars/payments', 'run/payments', 'tools']
        .map((name) => join(folder.state, name)),
    });
    expect(Object.entries(results).filter(([, result]) => result === 'worked')).toEqual([]);
    expect(Object.keys(results).length).toBeGreaterThan(40);
    // And an agent does not get at what tools keep.
    const books = [join(own, 'bank.sqlite')];
    const asAgent = await tried(uidOf('payments'), { paths: books, sockets: [], pids: [], directories: [own] });
    expect(Object.entries(asAgent).filter(([, result]) => result === 'worked')).toEqual([]);
  });

  it('read their own token, but none that would end a session that lives', async () => {
    const own = join(folder.state, 'run', 'reader', 'token');
    const readIt = async (): Promise<string | undefined> => {
      const what = { paths: [own], sockets: [], directories: [], pids: [] };
      return (await tried(uidOf('reader'), what))[`read ${own}`];
    };
    expect(await readIt()).toBe('worked');
    await HostileAgent.join({ socketPath: folder.socketOf('reader') }, folder.tokenOf('reader'));
    const used = folder.tokenOf('reader');
    await killSidecar(mesh.pid, 'reader');
    const isNew = (): boolean => folder.hasToken('reader') && folder.tokenOf('reader') !== used;
    await until('the next token', isNew);
    expect(await readIt()).toBe('EACCES');
  });

  it('reach their own socket, and no other', async () => {
    const sockets = sidecars().map((one) => String(one['address']));
    const all = [...sockets, join(folder.state, 'control', 'node.sock')];
    const results = await tried(
      uidOf('reader'), { paths: [], sockets: all, pids: [], directories: [] }
    );
    for (const path of all) {
      const own = path === folder.socketOf('reader');
      expect([path, results[`connect ${path}`]]).toEqual([path, own ? 'worked' : 'EACCES']);
    }
  });

  it('cannot signal a sidecar or the node, or look into their memory', async () => {
    const pids = [mesh.pid, ...sidecars().map((one) => Number(one['pid']))];
    const results = await tried(uidOf('reader'), { paths: [], sockets: [], directories: [], pids });
    expect(Object.entries(results).filter(([, result]) => result === 'worked')).toEqual([]);
    expect(Object.keys(results)).toHaveLength(pids.length * 3);
  });
});

function filesUnder(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
}

function isOfUser(pid: string, uid: number): boolean {
  try {
    return statSync(`/proc/${pid}`).uid === uid;
  } catch {
    // Ended meanwhile.
    return false;
  }
}

function isPassable(path: string): boolean {
  for (let directory = dirname(path); ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return false;
    if (dirname(directory) === directory) return true;
  }
}
