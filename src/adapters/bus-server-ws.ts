// SPDX-License-Identifier: Apache-2.0
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { WebSocketServer, type WebSocket } from 'ws';
import type { BusConnection } from '../bus/connection.ts';
import type { Line } from '../bus/control-port.ts';
import type { Credential, PeerIdentity } from '../identity/credential.ts';
import type { PeerVerifier } from '../identity/peer.ts';
import { frameBytesMax, parseSidecarFrame } from '../wire/parse-frame.ts';
import { intermediatesHeader, readIntermediates } from './presented-chain.ts';
import { peerOfSocket, serverTlsOptions } from './tls-options.ts';
import { corkedSender } from './corked-sender.ts';

export type BusServerOptions = {
  readonly host: string;
  readonly port: number;
  readonly credential: Credential;
  readonly bundlePem: string;
  readonly verifier: PeerVerifier;
  /** Takes a connection whose identity holds; throws nothing. */
  readonly accept: (
    peer: PeerIdentity,
    line: Line,
    /** The certificates that the peer showed, PEM, so that others can be shown them too. */
    chainPem: string,
  ) => BusConnection | { readonly code: string };
  /** How often every line is asked for a sign of life; two misses end it. */
  readonly sweepMs?: number;
  /** Told of every connection refused before it could speak; `peer` as far as it is known. */
  readonly refused: (code: string, peer: PeerIdentity | null) => void;
};

export type BusServer = {
  readonly port: number;
  /** Serves new connections under a renewed identity, to those whom this bundle vouches for. */
  readonly rotate: (credential: Credential, bundlePem: string) => void;
  readonly close: () => Promise<void>;
};

/** Sockets that have not finished their handshake: enough for a fleet that starts at once. */
const connectionsMax = 20_000;
const handshakeTimeoutMs = 5_000;
/** Of an opening request: its intermediates, as long as they come, and little else. */
const headerBytesMax = 16_384;
/** A sidecar that is alive answers at once; one that was killed never does. */
const pingTimeoutMs = 2_000;
const sweepMsDefault = 5_000;

/**
 * The bus's listening socket: mutual TLS 1.3, WebSocket frames of JSON text. A connection acts for
 * the identity in its certificate and no other; anything that is not a known frame ends it.
 */
export async function listenBus(options: BusServerOptions): Promise<BusServer> {
  const server = createServer({
    ...serverTlsOptions(options.credential, options.bundlePem),
    handshakeTimeout: handshakeTimeoutMs,
    requestTimeout: handshakeTimeoutMs,
    maxHeaderSize: headerBytesMax,
  });
  server.maxConnections = connectionsMax;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: frameBytesMax,
    perMessageDeflate: false,
    clientTracking: true,
  });
  const pulses = new WeakMap<WebSocket, () => void>();
  server.on('tlsClientError', () => options.refused('IDENTITY_HANDSHAKE_REFUSED', null));
  server.on('request', (_request, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket, head) => {
    const above = readIntermediates(request.headers[intermediatesHeader]);
    const verdict = peerOfSocket(request.socket as TLSSocket, options.verifier, above);
    if (!verdict.ok) {
      options.refused(verdict.code, null);
      socket.destroy();
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const pulse = attach(webSocket, verdict.peer, verdict.chainPem, options);
      if (pulse !== null) pulses.set(webSocket, pulse);
    });
  });
  await listen(server, options);
  const sweep = setInterval(() => {
    for (const webSocket of sockets.clients) pulses.get(webSocket)?.();
  }, options.sweepMs ?? sweepMsDefault);
  sweep.unref();
  return {
    port: (server.address() as AddressInfo).port,
    rotate: (credential, bundlePem) =>
      server.setSecureContext(serverTlsOptions(credential, bundlePem)),
    close: () => {
      clearInterval(sweep);
      return close(server, sockets);
    },
  };
}

/** Returns what asks this line for a sign of life; null when the line was refused at once. */
function attach(
  webSocket: WebSocket,
  peer: PeerIdentity,
  chainPem: string,
  options: BusServerOptions,
): (() => void) | null {
  const cut = (code: string): void => {
    options.refused(code, peer);
    webSocket.terminate();
  };
  const line: Line = {
    send: corkedSender(webSocket, () => cut('BUS_PEER_SLOW')),
    drop: (code) => {
      webSocket.close(4000, code.slice(0, 120));
      setTimeout(() => webSocket.terminate(), 1000).unref();
    },
    isAlive: () => answersPing(webSocket),
  };
  const accepted = options.accept(peer, line, chainPem);
  if ('code' in accepted) {
    options.refused(accepted.code, peer);
    line.drop(accepted.code);
    return null;
  }
  const pulse = new Pulse(webSocket, () => accepted.isolation !== null, cut);
  webSocket.on('message', (data: Buffer, isBinary: boolean) => {
    pulse.felt();
    const parsed = isBinary
      ? ({ ok: false, code: 'BUS_FRAME_MALFORMED' } as const)
      : parseSidecarFrame(data);
    if (parsed.ok) {
      accepted.receive(parsed.frame);
      return;
    }
    options.refused(parsed.code, peer);
    accepted.closed();
    line.drop(parsed.code);
  });
  webSocket.on('close', () => accepted.closed());
  // Ended at once: a polite close would go on reading whatever an oversized frame still holds.
  webSocket.on('error', () => cut('BUS_FRAME_MALFORMED'));
  return () => pulse.ask();
}

/** Whether there is still somebody at the other end of a line. */
class Pulse {
  readonly #webSocket: WebSocket;
  readonly #isGreeted: () => boolean;
  readonly #cut: (code: string) => void;
  #missed = 0;
  #greetingMissed = 0;

  constructor(webSocket: WebSocket, isGreeted: () => boolean, cut: (code: string) => void) {
    this.#webSocket = webSocket;
    this.#isGreeted = isGreeted;
    this.#cut = cut;
    webSocket.on('pong', () => this.felt());
  }

  felt(): void {
    this.#missed = 0;
  }

  ask(): void {
    if (this.#webSocket.readyState !== this.#webSocket.OPEN) return;
    if (!this.#isGreeted() && ++this.#greetingMissed > 1) return this.#cut('BUS_HELLO_LATE');
    if (++this.#missed > 2) return this.#cut('BUS_PEER_SILENT');
    this.#webSocket.ping();
  }
}

function answersPing(webSocket: WebSocket): Promise<boolean> {
  return new Promise((resolve) => {
    if (webSocket.readyState !== webSocket.OPEN) return resolve(false);
    const settle = (alive: boolean): void => {
      clearTimeout(timer);
      webSocket.off('pong', answered);
      webSocket.off('close', gone);
      resolve(alive);
    };
    const answered = (): void => settle(true);
    const gone = (): void => settle(false);
    const timer = setTimeout(gone, pingTimeoutMs);
    webSocket.once('pong', answered);
    webSocket.once('close', gone);
    webSocket.ping();
  });
}

function listen(server: Server, { host, port }: BusServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const webSocket of sockets.clients) webSocket.terminate();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
