// SPDX-License-Identifier: Apache-2.0
import { readFileSync, statSync } from 'node:fs';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { ToolCode } from '../tool/codes.ts';
import { ToolError } from '../tool/tool-error.ts';
import type { ToolRunner } from '../tool/tool-runner.ts';
import { McpToolRunner } from './tool-mcp-runner.ts';
import type { McpRunnerOptions } from './tool-mcp-runner.ts';
import { McpSession } from './tool-mcp-session.ts';
import type { TransportFailure } from './tool-mcp-session.ts';

export type HttpRunnerOptions = McpRunnerOptions & {
  readonly url: string;
  /** One line, mode 0600: the bearer token that only the gate has. Null sends none. */
  readonly credentialFile: string | null;
};

const credentialPattern = /^[\x21-\x7e]{16,4096}$/;
const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost'];

/** Errors of a connection that never stood: the request cannot have reached anybody. */
const unreached: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
]);

/**
 * An MCP server over streamable HTTP. The gate's credential goes to the configured address and
 * nowhere else: redirects are refused, other addresses are never asked, and without TLS only this
 * machine is. The credential is read again for every connection, so that it can be rotated.
 */
export function httpToolRunner(options: HttpRunnerOptions): ToolRunner {
  const { manifest, messageBytesMax, onIndicator } = options;
  return new McpToolRunner(options, async (onClose) => {
    const url = checkedUrl(options.url);
    const credential = readCredential(options.credentialFile);
    const transport = new StreamableHTTPClientTransport(url, {
      fetch: guardedFetch(url, messageBytesMax),
      requestInit: {
        redirect: 'manual',
        headers: credential === null ? {} : { authorization: `Bearer ${credential}` },
      },
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1000,
        maxReconnectionDelay: 1000,
        reconnectionDelayGrowFactor: 1,
      },
    });
    return McpSession.open(transport, {
      manifest,
      startTimeoutMs: options.startTimeoutMs,
      onIndicator,
      onClose,
      // Its connections are cut with the client; what the server makes of that is its own.
      abort: () => 'told',
      explain,
    });
  });
}

class HttpFailure extends Error {
  readonly failure: TransportFailure;
  constructor(code: ToolCode, reached: boolean) {
    super('the tool did not answer as it must');
    this.name = 'HttpFailure';
    this.failure = { code, reached };
  }
}

function checkedUrl(text: string): URL {
  const url = URL.parse(text);
  const secure = url?.protocol === 'https:';
  const local = url?.protocol === 'http:' && loopbackHosts.includes(url.hostname);
  if (url === null || !(secure || local) || url.username !== '' || url.password !== '') {
    throw new ToolError('TOOL_URL_INSECURE', 'The address of a tool must be https or loopback.');
  }
  return url;
}

function readCredential(path: string | null): string | null {
  if (path === null) return null;
  let credential: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0) {
      throw new ToolError('TOOL_CREDENTIAL_INVALID', 'Others may read the credential file.');
    }
    credential = readFileSync(path, 'utf8').trim();
  } catch (cause) {
    if (cause instanceof ToolError) throw cause;
    throw new ToolError('TOOL_CREDENTIAL_INVALID', 'The credential file cannot be read.');
  }
  if (credentialPattern.test(credential)) return credential;
  throw new ToolError('TOOL_CREDENTIAL_INVALID', 'The credential file is malformed.');
}

function guardedFetch(address: URL, bytesMax: number): typeof fetch {
  return async (input, init) => {
    const target = new URL(input instanceof Request ? input.url : input);
    if (target.href !== address.href) throw new HttpFailure('TOOL_REDIRECTED', false);
    let response: Response;
    try {
      response = await fetch(target, { ...init, redirect: 'manual' });
    } catch (error) {
      throw causeCodes(error).some((code) => unreached.has(code))
        ? new HttpFailure('TOOL_UNAVAILABLE', false)
        : error;
    }
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      throw new HttpFailure('TOOL_REDIRECTED', true);
    }
    if (response.status === 401 || response.status === 403) {
      await response.body?.cancel();
      // "Not authenticated" is said before anything is done; "forbidden" may come later.
      throw new HttpFailure('TOOL_CREDENTIAL_REFUSED', response.status === 403);
    }
    return bounded(response, bytesMax);
  };
}

/** The same response, cut off with an error when its body exceeds the bound. */
function bounded(response: Response, bytesMax: number): Response {
  if (response.body === null) return response;
  let read = 0;
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      read += chunk.byteLength;
      if (read <= bytesMax) controller.enqueue(chunk);
      else controller.error(new HttpFailure('TOOL_RESULT_TOO_LARGE', true));
    },
  });
  const { status, statusText, headers } = response;
  return new Response(response.body.pipeThrough(limit), { status, statusText, headers });
}

function explain(error: unknown): TransportFailure | null {
  let next: unknown = error;
  for (let depth = 0; depth < 8 && next instanceof Error; depth += 1) {
    if (next instanceof HttpFailure) return next.failure;
    next = next.cause;
  }
  return null;
}

function causeCodes(error: unknown): readonly string[] {
  const codes: string[] = [];
  let next: unknown = error;
  for (let depth = 0; depth < 8 && next instanceof Error; depth += 1) {
    if ('code' in next && typeof next.code === 'string') codes.push(next.code);
    next = next.cause;
  }
  return codes;
}
