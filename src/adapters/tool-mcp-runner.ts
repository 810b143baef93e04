// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { ToolManifest } from '../mesh/mesh.ts';
import { checkOperationPins } from '../tool/pins.ts';
import { ToolError } from '../tool/tool-error.ts';
import type {
  ToolAnswer,
  ToolCall,
  ToolDescription,
  ToolIndicator,
  ToolRunner,
} from '../tool/tool-runner.ts';
import type { McpSession } from './tool-mcp-session.ts';

export type McpRunnerOptions = {
  readonly manifest: ToolManifest;
  readonly messageBytesMax: number;
  readonly startTimeoutMs: number;
  /** `report` starts the tool to see what it is, without pins to compare with. */
  readonly pins: 'enforce' | 'report';
  readonly clock: Clock;
  readonly onIndicator: (indicator: ToolIndicator) => void;
};

/** Opens one connection; `onClose` is called when it ends, and not before it was opened. */
export type OpenSession = (onClose: () => void) => Promise<McpSession>;

const backoffFirstMs = 250;
const backoffMaxMs = 30_000;
/**
 * A tool that lets so many calls in a row run out is taken for hung, and its connection replaced.
 */
const timeoutsMax = 3;

/**
 * An MCP server behind a connection that is opened again when it was lost: at the next call, after
 * a pause that doubles from 250 ms to 30 s. Descriptions are compared with their pins each time
 * before anything is called. Calls under way when the connection was lost are `unknown`.
 */
export class McpToolRunner implements ToolRunner {
  readonly #options: McpRunnerOptions;
  readonly #openSession: OpenSession;
  #session: McpSession | null = null;
  #starting: Promise<McpSession> | null = null;
  #failures = 0;
  #notBeforeMs = 0;
  #timeouts = 0;
  #closed = false;

  constructor(options: McpRunnerOptions, openSession: OpenSession) {
    this.#options = options;
    this.#openSession = openSession;
  }

  async start(): Promise<readonly ToolDescription[]> {
    return (await this.#connected()).descriptions;
  }

  async call(call: ToolCall): Promise<ToolAnswer> {
    let session: McpSession;
    try {
      session = await this.#connected();
    } catch (failure) {
      // Nothing was sent: the tool is not there, or is not the one that was approved.
      const code = failure instanceof ToolError ? failure.code : 'TOOL_UNAVAILABLE';
      return { status: 'failed', reason: code };
    }
    // The tool may have had to be started: much can happen meanwhile.
    if (call.mayBegin?.() === false) return { status: 'failed', reason: 'TOOL_ADMISSION_LATE' };
    const answer = await session.call(call);
    if (this.#isBroken(answer)) await session.close();
    return answer;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const starting = this.#starting;
    if (starting !== null) await Promise.allSettled([starting]);
    await this.#session?.close();
    this.#session = null;
  }

  abort(): 'ended' | 'told' {
    const session = this.#session;
    // First, so that its end is not taken for a death of the tool.
    this.#session = null;
    return session?.abort() ?? 'told';
  }

  async #connected(): Promise<McpSession> {
    if (this.#session?.open === true) return this.#session;
    if (this.#starting !== null) return this.#starting;
    const { manifest, clock } = this.#options;
    if (this.#closed || clock.nowMs() < this.#notBeforeMs) {
      throw new ToolError('TOOL_UNAVAILABLE', `The tool ${manifest.name} is not running.`);
    }
    this.#starting = this.#openPinned();
    try {
      this.#session = await this.#starting;
      return this.#session;
    } catch (failure) {
      this.#backOff();
      throw failure;
    } finally {
      this.#starting = null;
    }
  }

  async #openPinned(): Promise<McpSession> {
    const { manifest, pins } = this.#options;
    let approved: McpSession | null = null;
    const session = await this.#openSession(() => {
      if (approved !== null && approved === this.#session && !this.#closed) this.#lost();
    });
    try {
      if (pins === 'enforce') {
        checkOperationPins(manifest.name, manifest.pins, session.descriptions);
      }
    } catch (mismatch) {
      await session.close();
      throw mismatch;
    }
    approved = session;
    return session;
  }

  #lost(): void {
    this.#session = null;
    this.#options.onIndicator({ tool: this.#options.manifest.name, code: 'TOOL_DIED' });
    this.#backOff();
  }

  #backOff(): void {
    const pauseMs = Math.min(backoffFirstMs * 2 ** this.#failures, backoffMaxMs);
    this.#failures = Math.min(this.#failures + 1, 16);
    this.#notBeforeMs = this.#options.clock.nowMs() + pauseMs;
  }

  /** True when this connection will bring no further answer. */
  #isBroken(answer: ToolAnswer): boolean {
    if (answer.status === 'done') {
      this.#failures = 0;
      this.#timeouts = 0;
      return false;
    }
    if (answer.reason === 'TOOL_TIMEOUT') {
      this.#timeouts += 1;
      if (this.#timeouts < timeoutsMax) return false;
      this.#timeouts = 0;
      return true;
    }
    return brokenBy.has(answer.reason);
  }
}

const brokenBy: ReadonlySet<string> = new Set([
  'TOOL_DIED',
  'TOOL_UNAVAILABLE',
  'TOOL_CREDENTIAL_REFUSED',
  'TOOL_REDIRECTED',
  'TOOL_RESULT_TOO_LARGE',
]);
