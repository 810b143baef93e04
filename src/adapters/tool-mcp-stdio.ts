// SPDX-License-Identifier: Apache-2.0
import type { ToolRunner } from '../tool/tool-runner.ts';
import { McpToolRunner } from './tool-mcp-runner.ts';
import type { McpRunnerOptions } from './tool-mcp-runner.ts';
import { McpSession } from './tool-mcp-session.ts';
import { ToolProcess } from './tool-process.ts';
import { checkProgramFiles } from './tool-program-files.ts';

export type StdioRunnerOptions = McpRunnerOptions & {
  readonly command: readonly string[];
  /** Working directory, and what relative parts of the command are relative to. */
  readonly directory: string;
  /** The tool's whole environment, secrets filled in. */
  readonly env: { readonly [name: string]: string };
  /** Null leaves the tool under this process's own uid. */
  readonly identity: { readonly uid: number; readonly gid: number } | null;
};

/**
 * An MCP server that the gate starts itself. The inherited pipe is the credential: nobody else can
 * speak on it. Program files are compared with their pins before every start.
 */
export function stdioToolRunner(options: StdioRunnerOptions): ToolRunner {
  const { manifest, command, directory, onIndicator } = options;
  return new McpToolRunner(options, async (onClose) => {
    if (options.pins === 'enforce') {
      checkProgramFiles(manifest.name, command, directory, manifest.pins);
    }
    const transport = new ToolProcess({
      command,
      directory,
      env: options.env,
      identity: options.identity,
      messageBytesMax: options.messageBytesMax,
      onViolation: () => onIndicator({ tool: manifest.name, code: 'TOOL_PROTOCOL' }),
    });
    return McpSession.open(transport, {
      manifest,
      startTimeoutMs: options.startTimeoutMs,
      onIndicator,
      onClose,
      abort: () => {
        transport.kill();
        return 'ended';
      },
      explain: () =>
        transport.violation === null ? null : { code: transport.violation, reached: true },
    });
  });
}
