// SPDX-License-Identifier: Apache-2.0
import { request } from 'node:http';
import { isJsonObject, type JsonObject } from '../../src/message/json.ts';

export type Heard = { readonly status: number; readonly body: JsonObject };

/** Where a sidecar listens: a unix socket, or a loopback port. */
export type Place =
  | { readonly socketPath: string }
  | { readonly host: string; readonly port: number };

/** One request, exactly as given: bytes, headers and path are the attacker's to choose. */
export function exchange(
  place: Place,
  path: string,
  body: JsonObject | Uint8Array | null,
  headers: { readonly [name: string]: string } = {},
): Promise<Heard> {
  const bytes =
    body === null || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...place,
        path,
        method: bytes === null ? 'GET' : 'POST',
        agent: false,
        headers: { ...(bytes === null ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ status: response.statusCode ?? 0, body: parsed(text) });
        });
      },
    );
    sent.on('error', reject);
    sent.end(bytes ?? undefined);
  });
}

function parsed(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : { text };
  } catch {
    // An answer that is no JSON is shown as it came.
    return { text };
  }
}

/** A worst-case agent: it holds its own session and sends whatever it likes with it. */
export class HostileAgent {
  readonly place: Place;
  readonly session: string;
  /** Task of the order taken last: what the agent has a mandate for, if for anything. */
  task: string | null = null;

  static async join(place: Place, token: string): Promise<HostileAgent> {
    const opened = await exchange(place, '/v1/session', { token });
    if (opened.status !== 201) throw new Error(`No session: ${JSON.stringify(opened)}`);
    return new HostileAgent(place, String(opened.body['session']));
  }

  constructor(place: Place, session: string) {
    this.place = place;
    this.session = session;
  }

  post(path: string, body: JsonObject | Uint8Array): Promise<Heard> {
    return exchange(this.place, path, body, { authorization: `Bearer ${this.session}` });
  }

  get(path: string): Promise<Heard> {
    return exchange(this.place, path, null, { authorization: `Bearer ${this.session}` });
  }

  send(to: string, schema: string, payload: JsonObject, more: JsonObject = {}): Promise<Heard> {
    return this.post('/v1/messages', { to, type: 'data', schema, payload, ...more });
  }

  /** Messages waiting now, acknowledged. */
  async take(waitMs = 0): Promise<readonly JsonObject[]> {
    const heard = await this.post('/v1/inbox', { waitMs, max: 256 });
    const messages = (heard.body['messages'] ?? []) as readonly JsonObject[];
    const ids = messages.map((message) => String(message['id']));
    for (const { schema, task } of messages) if (schema === 'order/1') this.task = String(task);
    if (ids.length > 0) await this.post('/v1/inbox/ack', { ids });
    return messages;
  }
}
