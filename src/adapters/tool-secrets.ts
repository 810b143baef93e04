// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../tool/tool-error.ts';

const secretPattern = /^[A-Za-z0-9_-]{43}$/;
const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const fileNamePattern = /^[a-z][a-z0-9_-]{0,62}\.(?!secret$)[a-z0-9]{1,16}$/;
const reference = 'gate-secret:';
const fileReference = 'gate-file:';

/**
 * Secrets that the gate shares with the tools it starts: 256 random bits per name, made once and
 * kept in a directory only this user can read. An `env` value `gate-secret:NAME` in the mesh file
 * stands for one, so that no secret is written there; a part `gate-file:NAME` of a command stands
 * for the path of a file in that directory, where the tool keeps its own state. Under the same uid
 * a file is a file: what this keeps out is an agent under another uid.
 */
export class ToolSecrets {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
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
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'The directory cannot be made.', { cause });
    }
    return join(this.#directory, name);
  }

  #secret(name: string): string {
    if (!namePattern.test(name)) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'A secret has a name that is not allowed.');
    }
    const path = join(this.#directory, `${name}.secret`);
    try {
      mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
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
