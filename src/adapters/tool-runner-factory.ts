// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { ToolManifest } from '../mesh/mesh.ts';
import type { ToolIndicator, ToolRunner } from '../tool/tool-runner.ts';
import { FunctionToolRunner } from './tool-function.ts';
import type { ToolSecrets } from './tool-secrets.ts';

export type ToolRunnerOptions = {
  /** Folder of the mesh file: working directory of tools that the gate starts. */
  readonly directory: string;
  readonly clock: Clock;
  readonly secrets: ToolSecrets;
  /** Uid and gid for tools that the gate starts; needs root. Null: this process's own. */
  readonly identity: { readonly uid: number; readonly gid: number } | null;
  /** Bytes of one message of a tool; the gate's own bound on results lies below it. */
  readonly messageBytesMax: number;
  readonly startTimeoutMs: number;
  /** `report` only to make pins, and in `development`; it starts what nobody approved. */
  readonly pins: 'enforce' | 'report';
  readonly onIndicator: (indicator: ToolIndicator) => void;
};

/**
 * The runner that a tool's manifest asks for; nothing is started yet. What speaks MCP is loaded by who has such
 * a tool: it is a tenth of what a sidecar would load.
 */
export async function createToolRunner(
  manifest: ToolManifest,
  options: ToolRunnerOptions,
): Promise<ToolRunner> {
  const { runner } = manifest;
  switch (runner.kind) {
    case 'stdio': {
      const { stdioToolRunner } = await import('./tool-mcp-stdio.ts');
      return stdioToolRunner({
        ...options,
        manifest,
        command: options.secrets.resolveCommand(runner.command),
        env: options.secrets.resolve(runner.env),
      });
    }
    case 'http': {
      const { httpToolRunner } = await import('./tool-mcp-http.ts');
      return httpToolRunner({ ...options, manifest, ...runner });
    }
    case 'function': {
      const bounds = { sizeMax: options.messageBytesMax, depthMax: 128 };
      return new FunctionToolRunner({ ...options, manifest, module: runner.module, bounds });
    }
    default:
      return runner satisfies never;
  }
}
