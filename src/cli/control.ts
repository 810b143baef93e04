// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { askControl } from '../adapters/control-http.ts';
import { loadOperatorKey } from '../adapters/operator-keys.ts';
import { ControlError } from '../control/control-error.ts';
import type { OperatorKey } from '../identity/operator-key.ts';
import type { JsonObject } from '../message/json.ts';
import { codeEntry } from '../process/codes.ts';
import { nodeDirectories } from '../process/directories.ts';
import type { CommandIo } from './check.ts';

/** Asks the node that runs on this state directory. Rejects with CONTROL_NODE_UNREACHABLE. */
export async function askNode(
  stateDirectory: string,
  method: 'GET' | 'POST',
  path: string,
  body: JsonObject | null = null,
): Promise<{ readonly status: number; readonly body: JsonObject }> {
  const socket = nodeDirectories(stateDirectory).controlSocket;
  try {
    return await askControl(socket, method, path, body);
  } catch (cause) {
    throw new ControlError('CONTROL_NODE_UNREACHABLE', `No mesh runs on ${stateDirectory}.`, { cause });
  }
}

/** The private key that an operator names, or that of the state directory's local operator. */
export function keyOfOperator(
  stateDirectory: string,
  keyFile: string | undefined,
): Promise<OperatorKey> {
  const local = join(nodeDirectories(stateDirectory).operators, 'local.jwk');
  return loadOperatorKey(keyFile ?? local);
}

/** Says why something was refused and what to do; the exit code is 1. */
export function sayRefused(code: string, asJson: boolean, io: CommandIo): number {
  const entry = codeEntry(code);
  if (asJson) io.out(JSON.stringify({ code }));
  else io.err(`${code}: ${entry?.means ?? 'Refused.'} ${entry?.mend ?? ''}`.trim());
  return 1;
}
