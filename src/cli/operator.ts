// SPDX-License-Identifier: Apache-2.0
import { lstatSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { loadOperatorKey, loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import type { CommandIo } from './check.ts';

export type KeygenOptions = {
  readonly file: string;
  readonly name: string;
  readonly json: boolean;
};

/**
 * `maso operator keygen FILE`: makes an Ed25519 key as a private JWK of mode 0600 and prints the
 * public half as the mesh file takes it. An existing key is kept and its public half printed.
 * Rejects with `IdentityError` when the file is something else, or others may read it.
 */
export async function operatorKeygen(options: KeygenOptions, io: CommandIo): Promise<number> {
  const file = resolve(io.directory, options.file);
  const shown = relative(io.directory, file) || file;
  const existed = lstatSync(file, { throwIfNoEntry: false }) !== undefined;
  const { publicJwk } = existed
    ? await loadOperatorKey(file) : await loadOrCreateOperatorKey(file);
  if (options.json) {
    io.out(JSON.stringify({ file: shown, created: !existed, publicJwk }));
    return 0;
  }
  const { kty, crv, x } = publicJwk;
  io.err(existed
    ? `${shown} holds a key already; it was not replaced`
    : `wrote ${shown}: the private key, for its owner only`);
  io.err('put this into the mesh file, under operators:');
  io.out(`${options.name}: { kty: ${String(kty)}, crv: ${String(crv)}, x: "${String(x)}" }`);
  return 0;
}
