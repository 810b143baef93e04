// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { programFiles } from '../../src/adapters/tool-program-files.ts';
import type { ToolManifest, ToolPins } from '../../src/mesh/mesh.ts';
import { pinOperations } from '../../src/tool/pins.ts';

export const serverDirectory = dirname(fileURLToPath(import.meta.url));
export const hostileServer = join(serverDirectory, 'hostile-server.ts');

const inputSchema = { type: 'object', properties: { x: { type: 'number' } } };

/** What the server describes when it behaves: anything else is a mismatch. */
export const goodOperations: ToolPins['operations'] = pinOperations([
  { operation: 'act', description: 'Acts.', inputSchema },
  { operation: 'look', description: 'Acts.', inputSchema },
]);

/** `act` writes, `look` reads; pinned to the server as it stands in the repository. */
export function hostileManifest(behaviour: string, ...args: readonly string[]): ToolManifest {
  const command = ['node', hostileServer, behaviour, ...args];
  return {
    name: 'hostile',
    runner: { kind: 'stdio', command, env: {} },
    guarded: true,
    results: new Map([['act.status', { integrity: 'internal', classification: 'internal' }]]),
    operations: new Map([
      ['act', { name: 'act', write: true, idempotent: false, timeoutMs: 10_000 }],
      ['look', { name: 'look', write: false, idempotent: false, timeoutMs: 10_000 }],
    ]),
    pins: { files: programFiles(command, serverDirectory), operations: goodOperations },
  };
}
