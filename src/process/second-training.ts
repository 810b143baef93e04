// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { SecondWeights } from '../firewall/second-weights.ts';
import { parseSecond } from '../firewall/second-weights.ts';
import type { SecondTraining, TrainSecond } from '../firewall/training/second-material.ts';
import { secondMaterial } from '../firewall/training/second-material.ts';
import type { FitOptions } from '../firewall/training/fit.ts';

/** The one that Debian's packages are for. */
const debianPython = '/usr/bin/python3';

/** Runs over the same examples in other orders. */
const epochs = 4;

/**
 * Trains second readers with a program of Python (`train/firewall/second.py`), side by side, in a folder
 * of its own that holds hashes of words and no text and is removed afterwards. Throws `FirewallError`
 * FIREWALL_TRAINING_FAILED when the program does not run or leaves no reader.
 */
export function secondTrainer(program: string, python = debianPython): TrainSecond {
  return (trainings, options) => {
    const root = mkdtempSync(join(tmpdir(), 'maso-second-'));
    try {
      const roots = new Map<Uint32Array, string>();
      const folders = trainings.map((training, index) => {
        const shared = roots.get(training.harmless) ?? rootFor(training.harmless, join(root, String(roots.size)));
        roots.set(training.harmless, shared);
        const folder = join(shared, String(index));
        lay(folder, training, options);
        return folder;
      });
      run(python, program, [...roots.values()]);
      return folders.map(readerIn);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  };
}

/** Trainings whose vectors of words come from the same texts lie together. */
function rootFor(harmless: Uint32Array, root: string): string {
  mkdirSync(root);
  put(join(root, 'harmless.u32'), harmless);
  return root;
}

function lay(folder: string, training: SecondTraining, options: FitOptions): void {
  mkdirSync(folder);
  for (const [name, values] of Object.entries(secondMaterial(training, options))) put(join(folder, name), values);
  writeFileSync(join(folder, 'options.json'), JSON.stringify({ seed: options.seed, epochs }));
}

function put(file: string, values: Uint32Array | Int32Array | Float32Array): void {
  writeFileSync(file, Buffer.from(values.buffer, values.byteOffset, values.byteLength));
}

function run(python: string, program: string, roots: readonly string[]): void {
  const { status, stderr, error } = spawnSync(python, [program, ...roots], { encoding: 'utf8' });
  if (status === 0) return;
  const why = error?.message ?? stderr.trim().split('\n').at(-1) ?? `exit code ${status}`;
  throw new FirewallError('FIREWALL_TRAINING_FAILED', `The second reader could not be trained (${program}): ${why}`);
}

function readerIn(folder: string): SecondWeights {
  const file = join(folder, 'second.bin');
  const weights = existsSync(file) ? parseSecond(readFileSync(file)) : null;
  if (weights !== null) return weights;
  throw new FirewallError('FIREWALL_TRAINING_FAILED', 'The program for the second reader left none.');
}
