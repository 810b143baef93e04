// SPDX-License-Identifier: Apache-2.0
import { createServer, connect, type Socket } from 'node:net';

export type Relay = {
  readonly port: number;
  /** Cuts the network: nothing passes any more, in either direction, and nobody is told. */
  readonly cut: () => void;
  readonly close: () => void;
};

/** A network between sidecars and their node that can be cut: lines stay open and lead nowhere. */
export async function openRelay(busPort: () => number): Promise<Relay> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // A cut line ends when its process does; that is no fault of the bench.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((near) => {
    keep(near);
    if (isCut) return;
    const far = connect(busPort(), '127.0.0.1');
    keep(far);
    near.on('data', (bytes) => (isCut ? undefined : far.write(bytes)));
    far.on('data', (bytes) => (isCut ? undefined : near.write(bytes)));
    near.once('end', () => (isCut ? undefined : far.end()));
    far.once('end', () => (isCut ? undefined : near.end()));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut: () => {
      isCut = true;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
