// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/**
 * Sends frames as JSON text; all frames of one turn of the event loop leave in one write, so that a
 * busy connection costs one TLS record and one system call instead of many.
 */
export function corkedSender(webSocket: WebSocket): (frame: object) => void {
  let corked: Duplex | null = null;
  return (frame) => {
    if (webSocket.readyState !== WebSocket.OPEN) return;
    if (corked === null) {
      corked = socketOf(webSocket);
      corked?.cork();
      setImmediate(() => {
        corked?.uncork();
        corked = null;
      });
    }
    webSocket.send(JSON.stringify(frame));
  };
}

/** The socket under a WebSocket; not part of its public interface, so absence is tolerated. */
function socketOf(webSocket: WebSocket): Duplex | null {
  const socket: unknown = Reflect.get(webSocket, '_socket');
  return typeof socket === 'object' && socket !== null && 'cork' in socket
    ? (socket as Duplex)
    : null;
}
