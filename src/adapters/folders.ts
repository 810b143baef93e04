// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing, each of `mode`; returns the topmost that it made, undefined
 * where all were there. Throws what the system says of the first that cannot be made. Every folder of the product is
 * made here: the recursive `mkdir` of Node.js never returns where the system says ENOENT of a folder whose parent is
 * there, as it does below `/proc`.
 */
export function makeFolders(path: string, mode = 0o777): string | undefined {
  const whole = resolve(path);
  const missing: string[] = [];
  let folder = whole;
  let made = makeOne(folder, mode);
  while (made === 'no parent' && dirname(folder) !== folder) {
    missing.push(folder);
    folder = dirname(folder);
    made = makeOne(folder, mode);
  }
  let topmost = made === 'made' ? folder : undefined;
  for (const below of missing.toReversed()) {
    const then = makeOne(below, mode);
    if (then === 'no parent') mkdirSync(below, mode);
    if (then !== 'there') topmost ??= below;
  }
  return topmost;
}

function makeOne(folder: string, mode: number): 'made' | 'there' | 'no parent' {
  try {
    mkdirSync(folder, mode);
    return 'made';
  } catch (failure) {
    if (isAbsent(failure)) return 'no parent';
    // Said in many ways of a folder that is there: EEXIST, on a disk that is read only EROFS.
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return 'there';
    throw failure;
  }
}

function isAbsent(failure: unknown): boolean {
  return failure instanceof Error && Reflect.get(failure, 'code') === 'ENOENT';
}
