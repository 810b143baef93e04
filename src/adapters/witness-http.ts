// SPDX-License-Identifier: Apache-2.0
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../message/clock.ts';
import { judgeCheckpoint } from '../witness/cosign.ts';
import type { CosignAnswer, WitnessIdentity } from '../witness/cosign.ts';
import type { WitnessFiles } from './witness-files.ts';

export type WitnessServer = { readonly port: number; readonly close: () => Promise<void> };

export type WitnessServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly identity: WitnessIdentity;
  readonly files: WitnessFiles;
  readonly clock: Clock;
  /** Looks for logs that it was told of since; called for an origin that it does not know. */
  readonly refresh: () => Promise<void>;
  /** False: it saw something that speaks against the logs, and cosigns nothing. Absent: always true. */
  readonly mayCosign?: () => boolean;
  readonly log: (line: string) => void;
};

const bodyBytesMax = 65_536;
const requestTimeoutMs = 5_000;
const connectionsMax = 256;

/**
 * Serves C2SP tlog-witness: `POST /add-checkpoint`, and `GET /logs/FOLDER/checkpoint` with the
 * newest cosigned checkpoint for whoever verifies. One request after the other, so that what a
 * cosignature rests on cannot change before it is durable.
 */
export async function serveWitness(options: WitnessServerOptions): Promise<WitnessServer> {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const turn = last.then(run);
    last = turn.catch(() => null);
    return turn;
  };
  const server = createServer((request, response) => {
    answer(request, response, options, inTurn).catch(() => {
      // The disk or the caller failed: nothing was cosigned that is not durable.
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  server.maxConnections = connectionsMax;
  server.requestTimeout = requestTimeoutMs;
  server.headersTimeout = requestTimeoutMs;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
      await last;
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: WitnessServerOptions,
  inTurn: <T>(run: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const [, folder] = /^\/logs\/([0-9a-f]{32})\/checkpoint$/.exec(request.url ?? '') ?? [];
  if (request.method === 'GET' && folder !== undefined) {
    const cosigned = await options.files.checkpointIn(folder);
    response.writeHead(cosigned === null ? 404 : 200, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(cosigned ?? '');
    return;
  }
  if (request.method !== 'POST' || request.url !== '/add-checkpoint') {
    response.writeHead(404).end();
    return;
  }
  if (options.mayCosign?.() === false) {
    response.writeHead(503).end();
    return;
  }
  const body = await bodyOf(request);
  if (body === null) {
    response.writeHead(413, { connection: 'close' }).end();
    return;
  }
  const judged = await inTurn(() => judge(body, options));
  const type = judged.status === 409 ? 'text/x.tlog.size' : 'text/plain; charset=utf-8';
  response.writeHead(judged.status, { 'content-type': type }).end(judged.body);
}

async function judge(body: string, options: WitnessServerOptions): Promise<CosignAnswer> {
  const { files, identity, clock, refresh, log } = options;
  const ask = () =>
    judgeCheckpoint(body, (origin) => files.logOf(origin), identity, clock.nowMs() / 1000);
  let judged = await ask();
  if (judged.status === 404) {
    await refresh();
    judged = await ask();
  }
  if (judged.status === 200) await files.keep(judged.cosigned, judged.next);
  else if (judged.evidence) {
    await files.keepEvidence(body);
    log(`witness: refused (${judged.code})`);
  }
  return judged;
}

async function bodyOf(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) return null;
    bytes += chunk.length;
    if (bytes > bodyBytesMax) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
