// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomBytes } from 'node:crypto';
import { makeFolders } from './folders.ts';

const bytesMax = 1_048_576;
const ownerOnly = 0o600;

/** `exposed`: others may read it, or it is a link, device or other thing than a plain file. */
export type OwnerOnlyFile =
  | { readonly state: 'read'; readonly bytes: Buffer }
  | { readonly state: 'absent' }
  | { readonly state: 'exposed' };

/**
 * Reads a file that only its owner may read. The mode is that of the opened file, so it cannot be
 * exchanged between check and use; links are not followed. Rejects on any other IO failure.
 */
export async function readOwnerOnly(path: string): Promise<OwnerOnlyFile> {
  let file;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (failure) {
    if (hasCode(failure, 'ENOENT')) return { state: 'absent' };
    if (hasCode(failure, 'ELOOP')) return { state: 'exposed' };
    throw failure;
  }
  try {
    const status = await file.stat();
    const exposed = !status.isFile() || (status.mode & 0o077) !== 0 || status.size > bytesMax;
    return exposed ? { state: 'exposed' } : { state: 'read', bytes: await file.readFile() };
  } finally {
    await file.close();
  }
}

/** Replaces a file as a whole: after a crash it holds the old bytes or the new ones. Mode 0600. */
export async function writeOwnerOnly(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await rename(temporary, path);
  } catch (failure) {
    await rm(temporary, { force: true });
    throw failure;
  }
  await syncDirectory(dirname(path));
}

/** Writes a file that must not exist yet; false, with nothing written, when it does. Mode 0600. */
export async function createOwnerOnly(path: string, bytes: Uint8Array): Promise<boolean> {
  const temporary = await writeTemporary(path, bytes);
  try {
    await link(temporary, path);
  } catch (failure) {
    if (hasCode(failure, 'EEXIST')) return false;
    throw failure;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncDirectory(dirname(path));
  return true;
}

/**
 * Makes a directory of mode 0700, with its parents. False when one is there that others may enter
 * or that is no directory.
 */
export async function makeOwnerOnlyDirectory(path: string): Promise<boolean> {
  makeFolders(path, 0o700);
  const status = await lstat(path);
  return status.isDirectory() && (status.mode & 0o077) === 0;
}

async function writeTemporary(path: string, bytes: Uint8Array): Promise<string> {
  const temporary = `${path}.${randomBytes(8).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx', ownerOnly);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } catch (failure) {
    await rm(temporary, { force: true });
    throw failure;
  } finally {
    await file.close();
  }
  return temporary;
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

function hasCode(failure: unknown, code: string): boolean {
  return failure instanceof Error && 'code' in failure && failure.code === code;
}
