// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import {
  chmodSync, lchownSync, lstatSync, readdirSync, readFileSync, statSync, writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { ToolError } from '../tool/tool-error.ts';
import { makeFolders } from './folders.ts';

const secretPattern = /^[A-Za-z0-9_-]{43}$/;
const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const fileNamePattern = /^[a-z][a-z0-9_-]{0,62}\.(?!secret$)[a-z0-9]{1,16}$/;
const reference = 'gate-secret:';
const fileReference = 'gate-file:';

export type ToolPlaces = {
  /** For the gate alone. */
  readonly secrets: string;
  /** For the user that the tools run as. */
  readonly files: string;
  /** That user; null: this process's own. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
};

/**
 * What the gate gives the tools that it starts. An `env` value `gate-secret:NAME` in the mesh file
 * stands for 256 random bits, made once and kept in a directory that only the gate's own user reads,
 * so that no secret is written there. A part `gate-file:NAME` of a command stands for the path of a
 * file in a directory of the tools, where they keep their own state; agents, and tools of others, run
 * as other users and do not get in. Under one uid a file is a file.
 */
export class ToolSecrets {
  readonly #places: ToolPlaces;
  #isReady = false;

  constructor(places: ToolPlaces) {
    this.#places = places;
  }

  /** The environment with every reference replaced. Throws `ToolError` TOOL_CREDENTIAL_INVALID. */
  resolve(env: { readonly [name: string]: string }): { readonly [name: string]: string } {
    return Object.fromEntries(
      Object.entries(env).map(([name, value]) =>
        value.startsWith(reference)
          ? [name, this.#secret(value.slice(reference.length))]
          : [name, value],
      ),
    );
  }

  /** The command with every file reference replaced. Throws like `resolve`. */
  resolveCommand(command: readonly string[]): readonly string[] {
    return command.map((part) =>
      part.startsWith(fileReference) ? this.#file(part.slice(fileReference.length)) : part,
    );
  }

  #file(name: string): string {
    if (!fileNamePattern.test(name)) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'A file of a tool has a name not allowed.');
    }
    try {
      if (!this.#isReady) this.#prepare();
      this.#isReady = true;
    } catch (cause) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'The directory cannot be made.', { cause });
    }
    return join(this.#places.files, name);
  }

  /** The directory, and all that an earlier run left in it, belong to the user of the tools. */
  #prepare(): void {
    const { files, owner } = this.#places;
    makeFolders(dirname(files), 0o711);
    makeFolders(files, 0o700);
    if (!lstatSync(files).isDirectory()) throw new Error('Not a directory.');
    chmodSync(files, 0o700);
    if (owner === null) return;
    // Links are not followed: whoever wrote here may have made one.
    for (const entry of readdirSync(files, { recursive: true, withFileTypes: true })) {
      lchownSync(join(entry.parentPath, entry.name), owner.uid, owner.gid);
    }
    lchownSync(files, owner.uid, owner.gid);
  }

  #secret(name: string): string {
    if (!namePattern.test(name)) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'A secret has a name that is not allowed.');
    }
    const path = join(this.#places.secrets, `${name}.secret`);
    try {
      makeFolders(this.#places.secrets, 0o700);
      try {
        writeFileSync(path, randomBytes(32).toString('base64url'), { mode: 0o600, flag: 'wx' });
      } catch (cause) {
        if (!isExisting(cause)) throw cause;
      }
      const secret = readFileSync(path, 'utf8');
      if (secretPattern.test(secret) && (statSync(path).mode & 0o077) === 0) return secret;
    } catch (cause) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'A secret cannot be read or made.', { cause });
    }
    throw new ToolError('TOOL_CREDENTIAL_INVALID', 'A secret file is malformed or not private.');
  }
}

function isExisting(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'EEXIST';
}
