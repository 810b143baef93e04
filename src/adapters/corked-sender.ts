// SPDX-License-Identifier: Apache-2.0
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/**
 * What may wait in memory for a peer to read it: a whole window of the largest messages that a mesh
 * file usually allows, many times over. A peer that asks on without reading is cut off there.
 */
export const unreadBytesMax = 64 * 1024 * 1024;

/**
 * Sends frames as JSON text; all frames of one turn of the event loop leave in one write, so that a
 * busy connection costs one TLS record and one system call instead of many. `unread` is told, once, when the peer
 * has left more than `unreadBytesMax` unread. What is urgent leaves at once, with all that waited before it: this
 * turn of the event loop may yet wait for the disk.
 */
export function corkedSender(webSocket: WebSocket, unread: () => void): (frame: object, isUrgent?: boolean) => void {
  let corked: Duplex | null = null;
  let isSlow = false;
  return (frame, isUrgent = false) => {
    if (isSlow || webSocket.readyState !== WebSocket.OPEN) return;
    if (corked === null) {
      corked = socketOf(webSocket);
      corked?.cork();
      setImmediate(() => {
        corked?.uncork();
        corked = null;
      });
    }
    webSocket.send(JSON.stringify(frame));
    if (isUrgent) {
      corked?.uncork();
      corked = null;
    }
    if (webSocket.bufferedAmount <= unreadBytesMax) return;
    isSlow = true;
    unread();
  };
}

/** The socket under a WebSocket; not part of its public interface, so absence is tolerated. */
function socketOf(webSocket: WebSocket): Duplex | null {
  const socket: unknown = Reflect.get(webSocket, '_socket');
  return typeof socket === 'object' && socket !== null && 'cork' in socket
    ? (socket as Duplex)
    : null;
}
