// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRunning, stampOf, type ProcessStamp } from './process-stamp.ts';
import { claimUids } from './uid-ranges.ts';

const within = { first: 61_000, count: 10 };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'maso-uids-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function own(): ProcessStamp {
  const stamp = stampOf(process.pid);
  if (stamp === null) throw new Error('no /proc');
  return stamp;
}

const ended: ProcessStamp = { pid: process.pid, started: '1' };

function claim(stateDirectory: string, count: number, holder = own()): number | null {
  return claimUids(directory, { holder, stateDirectory, count, within })?.first ?? null;
}

describe('the users of a host', () => {
  it('are given to one mesh only, as long as its process lives', () => {
    expect(claim('/a', 4)).toBe(61_000);
    expect(claim('/b', 4)).toBe(61_004);
    expect(claim('/c', 4)).toBeNull();
    expect(claim('/c', 2)).toBe(61_008);
  });

  it('are none for a mesh without agents, which is in nobody\'s way', () => {
    expect(claim('/a', 4)).toBe(61_000);
    expect(claim('/b', 0)).not.toBeNull();
    expect(claim('/c', 0)).not.toBeNull();
    expect(claim('/d', 4)).toBe(61_004);
  });

  it('are free again when the process that held them has ended, and not before', () => {
    expect(claim('/a', 8, ended)).toBe(61_000);
    expect(claim('/b', 8)).toBe(61_000);
    expect(claim('/c', 8)).toBeNull();
  });

  it('are the same at the next start while nobody else has them', () => {
    expect(claim('/a', 2)).toBe(61_000);
    expect(claim('/b', 3)).toBe(61_002);
    expect(claim('/b', 3)).toBe(61_002);
    expect(claim('/b', 6)).toBe(61_002);
  });
});

describe('a process stamp', () => {
  it('does not take a later process of the same number for the one it was made of', () => {
    expect(isRunning(own())).toBe(true);
    expect(isRunning(ended)).toBe(false);
    expect(stampOf(4_194_305)).toBeNull();
  });
});
