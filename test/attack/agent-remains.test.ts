// SPDX-License-Identifier: Apache-2.0
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stampOf } from '../../src/adapters/process-stamp.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import {
  isRoot, killSidecar, maso, MeshFolder, until, up, type MasoProcess,
} from '../mesh-harness/running-mesh.ts';

/**
 * An agent that wants to outlive its sidecar: it starts a copy of itself in a session of its own,
 * and, where it has a user of its own, without what the sidecar put into its environment.
 */
const clinging = `
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
const [, , log, kind] = process.argv;
appendFileSync(log, kind + ' ' + process.pid + '\\n');
if (kind === 'agent') {
  const env = process.getuid() === 0 ? process.env : {};
  spawn(process.execPath, [process.argv[1], log, 'copy'], { detached: true, stdio: 'ignore', env }).unref();
}
process.on('SIGTERM', () => undefined);
setInterval(() => undefined, 1000);
`;

describe('an agent whose sidecar is killed', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let log: string;

  beforeAll(async () => {
    const files = attackMesh(makePeople());
    folder = await MeshFolder.create({
      ...files,
      'cling.mjs': clinging,
      'security_mesh.yaml': (files['security_mesh.yaml'] ?? '').replace(
        'planner: { role: ORCHESTRATOR, zone: core }',
        'planner: { role: ORCHESTRATOR, zone: core, command: [sh, -c, ' +
          '"umask 0; exec node ./cling.mjs ./pids/log agent"] }',
      ),
      'pids/log': '',
    });
    chmodSync(join(folder.directory, 'pids', 'log'), 0o666);
    log = join(folder.directory, 'pids', 'log');
    await maso(['tools', 'pin', folder.meshFile]);
    mesh = await up(folder);
  });
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const started = (kind: string): readonly number[] =>
    !existsSync(log) ? [] : readFileSync(log, 'utf8').trim().split('\n')
      .filter((line) => line.startsWith(`${kind} `)).map((line) => Number(line.split(' ')[1]));
  const both = () => until('agent and copy', () =>
    started('agent').length === started('copy').length && started('copy').length > 0 && true);

  it.skipIf(process.platform !== 'linux')('is ended, copies and all, before the next one starts', async () => {
    await both();
    const before = [...started('agent'), ...started('copy')];
    expect(before.every((pid) => stampOf(pid) !== null)).toBe(true);
    await killSidecar(mesh.pid, 'planner');
    await until('the next agent', () => started('agent').length > 1);
    expect(before.map(stampOf)).toEqual(before.map(() => null));
    expect(mesh.said()).toContain('sidecar planner: ended 2 earlier processes');
    console.log(`ended ${before.length} processes${isRoot ? ', one without its environment' : ''}`);
  });
});
