// SPDX-License-Identifier: Apache-2.0
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Agent } from '../mesh/mesh.ts';
import { sampleMesh } from '../../test/mesh-files/sample.ts';
import { SidecarProcesses } from './sidecar-processes.ts';

/** Tells its arguments and the first line that it is given, and ends with its standard input. */
const program = `
  let line = '';
  process.stdin.on('data', (chunk) => {
    line += chunk;
    if (line.endsWith('\\n')) process.send({ line, args: process.argv.slice(2) });
  });
  process.stdin.on('end', () => process.exit(0));
`;
const folder = mkdtempSync(join(tmpdir(), 'maso-processes-'));
const file = join(folder, 'sidecar.mjs');
writeFileSync(file, program);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let processes: SidecarProcesses;
let started: ChildProcess[];
beforeEach(() => {
  processes = new SidecarProcesses({
    program: [process.execPath, file], meshFile: 'mesh.yaml', stateDirectory: folder,
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
