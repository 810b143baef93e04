// SPDX-License-Identifier: Apache-2.0
import {
  Client,
  ProtocolError,
  ProtocolErrorCode,
  SdkError,
  SdkErrorCode,
} from '@modelcontextprotocol/client';
import type { Transport } from '@modelcontextprotocol/client';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject } from '../message/json.ts';
import type { ToolManifest } from '../mesh/mesh.ts';
import { compileInput } from '../tool/compiled-schema.ts';
import type { Check } from '../tool/compiled-schema.ts';
import type { ToolCode } from '../tool/codes.ts';
import { readMcpResult } from '../tool/mcp-result.ts';
import { boundsRefusal } from '../tool/result-bounds.ts';
import { ToolError } from '../tool/tool-error.ts';
import type { ToolAnswer, ToolCall, ToolDescription, ToolIndicator } from '../tool/tool-runner.ts';

export type McpSessionOptions = {
  readonly manifest: ToolManifest;
  readonly startTimeoutMs: number;
  readonly onIndicator: (indicator: ToolIndicator) => void;
  readonly onClose: () => void;
  /** Stops what is under way; see `ToolRunner`. */
  readonly abort: () => 'ended' | 'told';
  /** Names a transport's own error where the SDK wraps it; null when it says nothing. */
  readonly explain: (error: unknown) => TransportFailure | null;
};

/** `reached: false` only where the transport knows that the tool never got the call. */
export type TransportFailure = { readonly code: ToolCode; readonly reached: boolean };

const pagesMax = 16;
const descriptionBounds = { sizeMax: 262_144, depthMax: 64 };

/**
 * One connection to an MCP server (specification 2025-11-25), as the gate wants it: no client
 * capability is declared, so sampling, elicitation and roots are never offered; a server that asks
 * anyway is answered "method not found" and reported. The list of operations is read once.
 */
export class McpSession {
  readonly descriptions: readonly ToolDescription[];
  readonly #client: Client;
  readonly #options: McpSessionOptions;
  readonly #inputs: ReadonlyMap<string, Check>;
  #open = true;

  private constructor(
    client: Client,
    options: McpSessionOptions,
    descriptions: readonly ToolDescription[],
  ) {
    this.#client = client;
    this.#options = options;
    this.descriptions = descriptions;
    this.#inputs = new Map(
      descriptions.map((tool) => [tool.operation, compileInput(tool.inputSchema)] as const),
    );
  }

  /** Rejects with `ToolError`; then the transport is closed. */
  static async open(transport: Transport, options: McpSessionOptions): Promise<McpSession> {
    const { manifest, startTimeoutMs, onIndicator } = options;
    const client = new Client({ name: 'maso', version: '0.1.0' }, { capabilities: {} });
    client.fallbackRequestHandler = async () => {
      onIndicator({ tool: manifest.name, code: 'TOOL_BACK_CHANNEL' });
      throw new ProtocolError(ProtocolErrorCode.MethodNotFound, 'Method not found');
    };
    client.fallbackNotificationHandler = async (notification) => {
      if (!notification.method.endsWith('/list_changed')) return;
      onIndicator({ tool: manifest.name, code: 'TOOL_LIST_CHANGED' });
    };
    let session: McpSession | null = null;
    client.onclose = () => {
      if (session !== null) session.#open = false;
      options.onClose();
    };
    try {
      await client.connect(transport, { timeout: startTimeoutMs, maxTotalTimeout: startTimeoutMs });
      const descriptions = await listOperations(client, manifest, startTimeoutMs);
      session = new McpSession(client, options, descriptions);
      return session;
    } catch (cause) {
      await client.close();
      if (cause instanceof ToolError) throw cause;
      const code = options.explain(cause)?.code ?? 'TOOL_START_FAILED';
      // Only errors of the operating system go along: others may quote what the tool said (G9).
      const system = cause instanceof Error && 'syscall' in cause ? { cause } : {};
      throw new ToolError(code, `The tool ${manifest.name} did not start.`, system);
    }
  }

  get open(): boolean {
    return this.#open;
  }

  /**
   * Never rejects. Until the arguments are handed to the SDK nothing was done; after that, doubt.
   */
  async call(call: ToolCall): Promise<ToolAnswer> {
    const operation = this.#options.manifest.operations.get(call.operation);
    const input = this.#inputs.get(call.operation);
    if (operation === undefined || input === undefined) {
      return { status: 'failed', reason: 'TOOL_UNKNOWN' };
    }
    if (!this.#open) return { status: 'failed', reason: 'TOOL_UNAVAILABLE' };
    const given: JsonObject = operation.idempotent
      ? { ...call.arguments, idempotency_key: call.idempotencyKey }
      : call.arguments;
    if (!input(given)) return { status: 'failed', reason: 'TOOL_ARGUMENTS' };
    try {
      const result: unknown = await this.#client.request(
        { method: 'tools/call', params: { name: call.operation, arguments: { ...given } } },
        { timeout: call.timeoutMs, maxTotalTimeout: call.timeoutMs },
      );
      return readMcpResult(result, operation.write);
    } catch (error) {
      // Error answers and broken connections alike: only a read, or a call that certainly never
      // left, did nothing.
      const failure = this.#options.explain(error) ?? failureOf(error);
      const certain = !operation.write || !failure.reached;
      return { status: certain ? 'failed' : 'unknown', reason: failure.code };
    }
  }

  abort(): 'ended' | 'told' {
    this.#open = false;
    const end = this.#options.abort();
    this.#client.close().catch(() => {
      // Whatever is left of the line, nothing more is sent over it.
      return undefined;
    });
    return end;
  }

  async close(): Promise<void> {
    this.#open = false;
    await this.#client.close();
  }
}

async function listOperations(
  client: Client,
  manifest: ToolManifest,
  timeoutMs: number,
): Promise<readonly ToolDescription[]> {
  const offered = new Map<string, ToolDescription>();
  let cursor: string | undefined;
  for (let page = 0; page < pagesMax; page += 1) {
    const params = cursor === undefined ? {} : { cursor };
    const listed = await client.request({ method: 'tools/list', params }, { timeout: timeoutMs });
    for (const tool of listed.tools) {
      const inputSchema: unknown = tool.inputSchema;
      const refusal = boundsRefusal(inputSchema, descriptionBounds);
      if (refusal !== null || !isJsonObject(inputSchema) || offered.has(tool.name)) {
        throw new ToolError(
          'TOOL_PROTOCOL',
          `The tool ${manifest.name} lists what is not allowed.`,
        );
      }
      const description = tool.description ?? '';
      offered.set(tool.name, { operation: tool.name, description, inputSchema });
    }
    cursor = listed.nextCursor;
    if (cursor === undefined) break;
  }
  return [...manifest.operations.keys()].map((name) => {
    const description = offered.get(name);
    if (description !== undefined) return description;
    throw new ToolError(
      'TOOL_OPERATION_MISSING',
      `The tool does not offer ${manifest.name}.${name}.`,
    );
  });
}

function failureOf(error: unknown): TransportFailure {
  if (SdkError.isInstance(error)) {
    switch (error.code) {
      case SdkErrorCode.NotConnected:
        return { code: 'TOOL_UNAVAILABLE', reached: false };
      case SdkErrorCode.RequestTimeout:
        return { code: 'TOOL_TIMEOUT', reached: true };
      case SdkErrorCode.InvalidResult:
        return { code: 'TOOL_PROTOCOL', reached: true };
      default:
        return { code: 'TOOL_DIED', reached: true };
    }
  }
  if (ProtocolError.isInstance(error)) return { code: 'TOOL_ANSWERED_ERROR', reached: true };
  return { code: 'TOOL_DIED', reached: true };
}
