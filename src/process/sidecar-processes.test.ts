// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { ChildEnvironment } from './child-environment.ts';
import { SidecarProcesses } from './sidecar-processes.ts';

/** Tells its arguments, the first line that it is given and the variables of this test, and ends with its standard input. */
const program = `
  let line = '';
  const variables = Object.keys(process.env).filter((name) => name.startsWith('MASO_TEST_STORE_')).sort();
  process.stdin.on('data', (chunk) => {
    line += chunk;
    if (line.endsWith('\\n')) process.send({ line, args: process.argv.slice(2), variables });
  });
  process.stdin.on('end', () => process.exit(0));
`;
const folder = mkdtempSync(join(tmpdir(), 'maso-processes-'));
const file = join(folder, 'sidecar.mjs');
writeFileSync(file, program);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let environment: ChildEnvironment;
let processes: SidecarProcesses;
let started: ChildProcess[];
beforeEach(() => {
  environment = new ChildEnvironment(storedWith('MASO_TEST_STORE_A'));
  processes = new SidecarProcesses({
    program: [process.execPath, file], meshFile: 'mesh.yaml', stateDirectory: folder, environment,
  });
  started = [];
});
afterEach(() => {
  processes.endPrepared();
  for (const child of started) child.kill();
});

function agentOf(command: readonly string[] | null): Agent {
  const agent = sampleMesh().agents.get('payments');
  if (agent === undefined) throw new Error('the sample has changed');
  return { ...agent, command };
}

/** A mesh whose store has its password in a variable. */
function storedWith(name: string): Mesh {
  const password = { kind: 'env', name } as const;
  const store = { host: 'db', port: 5432, database: 'd', user: 'u', schema: 's', password, caFile: null };
  return { ...sampleMesh(), knowledgeStore: store };
}

async function said(child: ChildProcess): Promise<unknown> {
  started.push(child);
  return (await once(child, 'message'))[0];
}

describe('a sidecar that was started before its token', () => {
  it('is the one that gets the token, and the users of its agent', async () => {
    const agent = agentOf(null);
    processes.prepare([agent]);
    const child = processes.start(agent, 'always', 'token', { agent: 20_001, tools: 20_002 });
    expect(await said(child)).toEqual({
      line: 'token 20001 20002\n',
      args: ['sidecar', 'mesh.yaml', '--agent', 'payments', '--state', folder, '--join-token', '-', '--restart', 'always'],
      variables: [],
    });
    const again = processes.start(agent, 'always', 'other', null);
    expect(again.pid).not.toBe(child.pid);
    expect(await said(again)).toMatchObject({ line: 'other\n' });
  });

  it('is ended where the agent in force is another one, and gets nothing', async () => {
    processes.prepare([agentOf(['node', 'old.js'])]);
    const child = processes.start(agentOf(['node', 'new.js']), 'always', 'token', null);
    expect(await said(child)).toMatchObject({ args: expect.arrayContaining(['new.js']) });
    expect(JSON.stringify(await said(processes.start(agentOf(['node', 'old.js']), 'never', 'token', null))))
      .toContain('never');
  });

  it('is not waited for when it has ended, and ends when nobody needs it', async () => {
    const agent = agentOf(null);
    processes.prepare([agent]);
    processes.endPrepared();
    expect(await said(processes.start(agent, 'always', 'token', null))).toMatchObject({ line: 'token\n' });
  });
});

describe('the password of the store in a variable', () => {
  const names = ['MASO_TEST_STORE_A', 'MASO_TEST_STORE_B', 'MASO_TEST_STORE_C'];
  beforeEach(() => {
    for (const name of names) process.env[name] = 'a password';
  });
  afterEach(() => {
    for (const name of names) delete process.env[name];
  });

  it('is inherited by no sidecar: not by a prepared one, not by a new one, not after another version named another', async () => {
    const agent = agentOf(null);
    const variablesOf = async (restart: 'always' | 'never') =>
      said(processes.start(agent, restart, 'token', null));
    processes.prepare([agent]);
    expect(await variablesOf('always')).toMatchObject({ variables: ['MASO_TEST_STORE_B', 'MASO_TEST_STORE_C'] });
    expect(await variablesOf('never')).toMatchObject({ variables: ['MASO_TEST_STORE_B', 'MASO_TEST_STORE_C'] });
    let inForce = storedWith('MASO_TEST_STORE_B');
    environment.follow(() => inForce);
    expect(await variablesOf('always')).toMatchObject({ variables: ['MASO_TEST_STORE_C'] });
    inForce = storedWith('MASO_TEST_STORE_C');
    expect(await variablesOf('always')).toMatchObject({ variables: [] });
    inForce = sampleMesh();
    expect(await variablesOf('always')).toMatchObject({ variables: [] });
  });
});
