// SPDX-License-Identifier: Apache-2.0
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One question as it came over the wire. */
export type Asked = {
  readonly protocol: 'openai' | 'anthropic';
  readonly system: string;
  readonly user: string;
  readonly key: string | null;
  readonly body: Readonly<Record<string, unknown>>;
};

/** What the stand-in does with a question; `text` is what the model is made to say. */
export type Behaviour =
  | { readonly text: string; readonly afterMs?: number; readonly tokens?: [number, number] | null }
  | { readonly status: number }
  | { readonly hang: true }
  | { readonly cut: true }
  | { readonly raw: string };

/**
 * A model endpoint that speaks the protocols of OpenAI-compatible servers and of Anthropic, and says
 * what a test makes it say.
 */
export class JudgeStandIn {
  readonly asked: Asked[] = [];
  behave: (asked: Asked) => Behaviour = (asked) => ({ text: answerOf(asked, 'GO') });
  readonly #server: Server;

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** On a free port, or on this one; rejects when somebody else has it. */
  static async start(port = 0): Promise<JudgeStandIn> {
    const standIn = new JudgeStandIn();
    await new Promise<void>((resolve, reject) => {
      standIn.#server.once('error', reject);
      standIn.#server.listen(port, '127.0.0.1', resolve);
    });
    return standIn;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/v1`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>;
    const asked = questionOf(request, body);
    this.asked.push(asked);
    const behaviour = this.behave(asked);
    if ('hang' in behaviour) return;
    if ('cut' in behaviour) return void request.socket.destroy();
    if ('status' in behaviour) {
      response.writeHead(behaviour.status, { 'content-type': 'application/json' });
      return void response.end('{"error":{"message":"the stand-in refuses","type":"test"}}');
    }
    if ('raw' in behaviour) {
      response.writeHead(200, { 'content-type': 'application/json' });
      return void response.end(behaviour.raw);
    }
    const { text, afterMs = 0, tokens = [400, 40] } = behaviour;
    if (afterMs > 0) await new Promise((resolve) => setTimeout(resolve, afterMs));
    response.writeHead(200, { 'content-type': 'application/json' });
    const answer = asked.protocol === 'openai' ? openAi(text, tokens) : anthropic(text, tokens);
    response.end(JSON.stringify(answer));
  }
}

/** A well-formed answer to this very question. */
export function answerOf({ system }: Asked, verdict: string, criterion = 'none'): string {
  const echo = /<data ([0-9a-f]+)>/.exec(system)?.[1] ?? '';
  return JSON.stringify({ reason: 'as the test says', verdict, criterion, echo });
}

/** The subject that a question is about. */
export function subjectOf({ system }: Asked): string {
  return /only subject is (\w+):/.exec(system)?.[1] ?? '';
}

type Message = { readonly role: string; readonly content: unknown };

function questionOf(request: IncomingMessage, body: Record<string, unknown>): Asked {
  const messages = body['messages'] as readonly Message[];
  const said = (role: string): string =>
    messages.filter((one) => one.role === role).map((one) => textOf(one.content)).join('\n');
  const user = said('user');
  if (request.url?.endsWith('/messages') === true) {
    const key = request.headers['x-api-key'];
    return { protocol: 'anthropic', system: textOf(body['system']), user, key: String(key), body };
  }
  const key = request.headers.authorization?.replace('Bearer ', '') ?? null;
  return { protocol: 'openai', system: said('system'), user, key, body };
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: { readonly text?: string }) => part.text ?? '').join('');
}

function openAi(text: string, tokens: [number, number] | null): object {
  const [prompt_tokens = 0, completion_tokens = 0] = tokens ?? [];
  return {
    id: 'chatcmpl-1', object: 'chat.completion', created: 1, model: 'stand-in',
    choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: text } }],
    ...(tokens === null
      ? {}
      : { usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens } }),
  };
}

function anthropic(text: string, tokens: [number, number] | null): object {
  const [input_tokens = 0, output_tokens = 0] = tokens ?? [];
  return {
    id: 'msg_1', type: 'message', role: 'assistant', model: 'stand-in', stop_reason: 'end_turn',
    stop_sequence: null, content: [{ type: 'text', text }], usage: { input_tokens, output_tokens },
  };
}
