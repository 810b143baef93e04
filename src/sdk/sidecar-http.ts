// SPDX-License-Identifier: Apache-2.0
import { Agent, request as httpRequest } from 'node:http';

/** One call of the sidecar's interface; a null body is a GET. */
export type Call = { readonly path: string; readonly body: object | null; readonly signal?: AbortSignal };

/** The sidecar refused to serve this process at all. */
export class SidecarRefused extends Error {
  readonly code: string;
  constructor(code: string) {
    super(`The sidecar refused: ${code}.`);
    this.name = 'SidecarRefused';
    this.code = code;
  }
}

type Answer = { readonly status: number; readonly body: { readonly [member: string]: unknown } };

const answerBytesMax = 32 * 1024 * 1024;

/** Talks HTTP to the sidecar over its unix socket or loopback port, with kept connections. */
export class SidecarHttp {
  readonly agent: string;
  readonly isolation: 'none' | 'uid' | 'container';
  readonly #address: string;
  readonly #session: string;
  readonly #connections: Agent;

  static async open(address: string, token: string): Promise<SidecarHttp> {
    const connections = new Agent({ keepAlive: true, maxSockets: 64 });
    const opened = await exchange(address, connections, { path: '/v1/session', body: { token } }, null);
    const { session, agent, isolation } = opened.body;
    if (opened.status !== 201 || typeof session !== 'string' || typeof agent !== 'string') {
      connections.destroy();
      throw new SidecarRefused(String(opened.body['code'] ?? 'REFUSED'));
    }
    const kept = isolation === 'uid' || isolation === 'container' ? isolation : 'none';
    return new SidecarHttp(address, session, agent, kept, connections);
  }

  private constructor(
    address: string,
    session: string,
    agent: string,
    isolation: 'none' | 'uid' | 'container',
    connections: Agent,
  ) {
    this.#address = address;
    this.#session = session;
    this.agent = agent;
    this.isolation = isolation;
    this.#connections = connections;
  }

  /** Rejects with `SidecarRefused` only when the session is gone; refusals are answers. */
  async call(call: Call): Promise<{ readonly [member: string]: unknown }> {
    const answer = await exchange(this.#address, this.#connections, call, this.#session);
    if (answer.status === 401) throw new SidecarRefused(String(answer.body['code'] ?? 'REFUSED'));
    return answer.body;
  }

  close(): void {
    this.#connections.destroy();
  }
}

function exchange(
  address: string,
  connections: Agent,
  call: Call,
  session: string | null,
): Promise<Answer> {
  const text = call.body === null ? '' : JSON.stringify(call.body);
  const place = address.startsWith('http://') ? placeOf(address) : { socketPath: address };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        ...place,
        path: call.path,
        method: call.body === null ? 'GET' : 'POST',
        agent: connections,
        headers: {
          ...(call.body === null ? {} : { 'content-type': 'application/json' }),
          ...(session === null ? {} : { authorization: `Bearer ${session}` }),
          'content-length': Buffer.byteLength(text),
        },
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      },
      (response) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > answerBytesMax) request.destroy(new Error('The answer is too large.'));
          chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () => {
          try {
            const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
            resolve({ status: response.statusCode ?? 500, body: body as Answer['body'] });
          } catch (failure) {
            reject(failure instanceof Error ? failure : new Error('The answer is no JSON.'));
          }
        });
      },
    );
    request.on('error', reject);
    request.end(text);
  });
}

function placeOf(address: string): { readonly host: string; readonly port: number } {
  const url = new URL(address);
  return { host: url.hostname, port: Number(url.port) };
}
