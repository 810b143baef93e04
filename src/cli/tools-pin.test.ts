// SPDX-License-Identifier: Apache-2.0
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostileServer } from '../../test/tool-servers/hostile-manifest.ts';
import { readMesh } from '../adapters/mesh-files.ts';
import { pinTools } from './tools-pin.ts';
import { toolsPin } from './tools.ts';

let directory = '';
let meshFile = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-pin-test-'));
  meshFile = join(directory, 'security_mesh.yaml');
  mkdirSync(join(directory, 'tools'));
  copyFileSync(hostileServer, join(directory, 'tools', 'server.ts'));
  writeMesh('good');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function writeMesh(behaviour: string): void {
  writeFileSync(
    meshFile,
    `security_mesh:
  tools:
    hostile:
      mcp: { stdio: [node, ./tools/server.ts, ${behaviour}] }
      operations: { act: { write: true }, look: { write: false } }
`,
  );
}

function pin(write = true) {
  return pinTools({ meshFile, write, onProgress: () => {} });
}

describe('maso tools pin', () => {
  test('refuses a mesh file that does not load', async () => {
    writeFileSync(meshFile, 'security_mesh: { toolz: {} }\n');
    expect(await pin()).toMatchObject({ outcome: 'mesh-invalid' });
    const out: string[] = [];
    const io = { out: (line: string) => out.push(line), err: () => {}, directory };
    expect(await toolsPin({ file: 'security_mesh.yaml', check: false, json: false }, io)).toBe(1);
    expect(out[0]).toMatch(/^security_mesh\.yaml:\d+:\d+/);
  });

  test('writes nothing when a tool cannot be pinned', async () => {
    writeMesh('missing-operation');
    const report = await pin();
    expect(report).toMatchObject(
      { outcome: 'incomplete', tools: [{ code: 'TOOL_OPERATION_MISSING' }] },
    );
    expect(existsSync(join(directory, 'security_mesh.pins.json'))).toBe(false);
  });

  test('pins what the mesh loads, with paths relative to the mesh file', async () => {
    expect(await pin()).toMatchObject({ outcome: 'pinned' });
    const written = readFileSync(join(directory, 'security_mesh.pins.json'), 'utf8');
    expect(written).not.toContain(directory);
    const loaded = readMesh(meshFile);
    const pins = loaded.ok ? loaded.mesh.tools.get('hostile')?.pins : null;
    expect(Object.keys(pins?.files ?? {})).toEqual([join(directory, 'tools', 'server.ts')]);
    expect(Object.keys(pins?.operations ?? {})).toEqual(['act', 'look']);
    expect(await pin()).toMatchObject({ outcome: 'unchanged' });
  });

  test('says what changed, and changes nothing when it only compares', async () => {
    await pin();
    const before = readFileSync(join(directory, 'security_mesh.pins.json'), 'utf8');
    writeMesh('changed-description');
    const server = join(directory, 'tools', 'server.ts');
    writeFileSync(server, `${readFileSync(server, 'utf8')}\n// changed\n`);
    const changes = [
      { what: 'file', name: 'tools/server.ts', change: 'changed' },
      { what: 'operation', name: 'act', change: 'changed' },
      { what: 'operation', name: 'look', change: 'changed' },
    ];
    expect(await pin(false)).toMatchObject({ outcome: 'differs', tools: [{ changes }] });
    expect(readFileSync(join(directory, 'security_mesh.pins.json'), 'utf8')).toBe(before);
    const out: string[] = [];
    const io = { out: (line: string) => out.push(line), err: () => {}, directory };
    expect(await toolsPin({ file: meshFile, check: true, json: false }, io)).toBe(1);
    expect(out.at(-1)).toMatch(/^security_mesh\.pins\.json differs/);
    expect(await toolsPin({ file: meshFile, check: false, json: false }, io)).toBe(0);
    expect(out).toContain('hostile: file tools/server.ts changed');
  });
});
