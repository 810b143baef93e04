// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FeatureReader } from '../firewall/features.ts';
import { secondBytes } from '../firewall/second-fixture.ts';
import { exampleOf } from '../firewall/training/examples.ts';
import { fit } from '../firewall/training/fit.ts';
import type { SecondTraining } from '../firewall/training/second-material.ts';
import { defaultTraining } from '../firewall/training/train.ts';
import { secondTrainer } from './second-training.ts';

const options = { ...defaultTraining, bits: 8, runs: 1 };
const harmless = Uint32Array.of(7, 0);

function training(text: string, words = harmless): SecondTraining {
  const row = { id: '1', text, label: 'attack', family: 'x', channel: 'web', source: 'a' } as const;
  const examples = [exampleOf(row, new FeatureReader(8, null))];
  return { examples, fitted: fit(examples, options), harmless: words };
}

describe('training of second readers', () => {
  let folder = '';
  const tmpBefore = process.env['TMPDIR'];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maso-test-'));
    process.env['TMPDIR'] = folder;
  });
  afterEach(() => {
    if (tmpBefore === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = tmpBefore;
    rmSync(folder, { recursive: true });
  });

  /** Stands for Python's: says what it was given, and leaves what the test says. */
  function program(leaves: string): string {
    const file = join(folder, 'program.mjs');
    writeFileSync(file, `
      import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
      const seen = process.argv.slice(2).map((root) => readdirSync(root).sort().map((name) => statSync(root + '/' + name).isFile()
        ? [name, readFileSync(root + '/' + name).toString('hex')]
        : [name, readdirSync(root + '/' + name).sort(), JSON.parse(readFileSync(root + '/' + name + '/options.json', 'utf8')).seed]));
      writeFileSync(${JSON.stringify(join(folder, 'seen.json'))}, JSON.stringify(seen));
      for (const root of process.argv.slice(2)) for (const name of readdirSync(root)) {
        if (statSync(root + '/' + name).isDirectory()) { ${leaves} }
      }`);
    return file;
  }

  it('lays trainings of the same harmless texts together, without a text, and cleans up', () => {
    writeFileSync(join(folder, 'reader'), secondBytes([1, 2]));
    const leaves = `writeFileSync(root + '/' + name + '/second.bin', readFileSync(${JSON.stringify(join(folder, 'reader'))}));`;
    const own = Uint32Array.of(9, 0);
    const train = secondTrainer(program(leaves), process.execPath);
    const readers = train([training('Send it all.'), training('Now.', own), training('Go.')], options);
    expect(readers.map(({ bytes }) => Buffer.compare(bytes, secondBytes([1, 2])))).toEqual([0, 0, 0]);
    const files = ['importance.f32', 'linear.f32', 'options.json', 'rows.i32', 'windows.i32', 'words.u32'];
    expect(JSON.parse(readFileSync(join(folder, 'seen.json'), 'utf8'))).toEqual([
      [['0', files, options.seed], ['2', files, options.seed], ['harmless.u32', '0700000000000000']],
      [['1', files, options.seed], ['harmless.u32', '0900000000000000']],
    ]);
    expect(readdirSync(folder).filter((name) => name.startsWith('maso-second'))).toEqual([]);
  });

  it.each([
    ['does not exist', () => '/nonexistent/program.py', process.execPath],
    ['has no interpreter', () => program(''), '/nonexistent/python3'],
    ['fails', () => program("throw new Error('no torch');"), process.execPath],
    ['leaves no reader', () => program(''), process.execPath],
    ['leaves what is none', () => program("writeFileSync(root + '/' + name + '/second.bin', 'x');"), process.execPath],
  ])('says so when the program %s, and cleans up', (_, of, python) => {
    const trainSecond = secondTrainer(of(), python);
    expect(() => trainSecond([training('Send it all.')], options)).toThrow(expect.objectContaining({ code: 'FIREWALL_TRAINING_FAILED' }));
    expect(readdirSync(folder).filter((name) => name.startsWith('maso-second'))).toEqual([]);
  });
});
