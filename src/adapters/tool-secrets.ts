// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ToolError } from '../tool/tool-error.ts';

const secretPattern = /^[A-Za-z0-9_-]{43}$/;
const namePattern = /^[a-z][a-z0-9_-]{0,62}$/;
const reference = 'gate-secret:';

/**
 * Secrets that the gate shares with the tools it starts: 256 random bits per name, made once and
 * kept in a directory only this user can read. An `env` value `gate-secret:NAME` in the mesh file
 * stands for one, so that no secret is written there. Under the same uid a file is a file: what
 * this keeps out is an agent under another uid.
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
