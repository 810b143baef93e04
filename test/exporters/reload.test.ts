// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { edit, keyFile, reload } from '../mesh-harness/policy-change.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

describe('exporters of a mesh that is reloaded', () => {
  const people = makePeople();
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let alice = '';

  beforeAll(async () => {
    const files = attackMesh(people);
    folder = await MeshFolder.create(files);
    await maso(['tools', 'pin', folder.meshFile]);
    alice = await keyFile(folder, 'alice', people.alice);
    mesh = await up(folder, ['--no-sidecars']);
  }, 60_000);
  afterAll(async () => {
    await mesh?.stop();
    await folder?.remove();
  });

  const linesOf = (file: string): number => {
    const path = join(folder.directory, file);
    return existsSync(path) ? readFileSync(path, 'utf8').split('\n').length - 1 : 0;
  };

  it('begin where the file named none, and follow each version after that', async () => {
    await edit(folder, '  operators:\n', '  exporters:\n    one: { siem_file: { path: one.jsonl } }\n  operators:\n');
    expect(await reload(folder, 'alice', alice)).toMatchObject({ status: 0 });
    await until('the events of the first exporter', () => linesOf('one.jsonl') > 0, 30_000);
    await edit(folder, '    one: {', '    two: { siem_file: { path: two.jsonl } }\n    one: {');
    expect(await reload(folder, 'alice', alice)).toMatchObject({ status: 0 });
    await until('the events of the second', () => linesOf('two.jsonl') > 0, 30_000);
    const seen = linesOf('one.jsonl');
    await edit(folder, '    one: { siem_file: { path: one.jsonl } }\n', '');
    expect(await reload(folder, 'alice', alice)).toMatchObject({ status: 0 });
    await until('the events of the second after that', () => linesOf('two.jsonl') > seen + 1, 30_000);
    const sequences = readFileSync(join(folder.directory, 'two.jsonl'), 'utf8').split('\n')
      .filter((line) => line !== '').map((line) => String(JSON.parse(line).metadata.uid));
    expect(new Set(sequences).size).toBe(sequences.length);
  }, 120_000);
});
