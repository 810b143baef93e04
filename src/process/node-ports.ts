// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeOwnerOnly } from '../adapters/credential-file.ts';
import { ControlError } from '../control/control-error.ts';

/** Where a node listens; sidecars that joined before find it there again after a restart. */
export type NodePorts = { readonly bus: number; readonly enrolment: number };

const port = z.int().min(1).max(65_535);
const shape = z.strictObject({ bus: port, enrolment: port });
const fileName = 'ports.json';

/**
 * The ports to listen on; 0 is free to choose. Without an asked bus port, those of the last start.
 * With another one than last time the enrolment address changes too: by it a sidecar sees that what
 * it remembers of this node is old.
 */
export async function portsToUse(directory: string, askedBus: number): Promise<NodePorts> {
  const last = await lastPorts(directory);
  if (last === null) return { bus: askedBus, enrolment: 0 };
  return askedBus === 0 || askedBus === last.bus ? last : { bus: askedBus, enrolment: 0 };
}

export function keepPorts(directory: string, ports: NodePorts): Promise<void> {
  return writeOwnerOnly(join(directory, fileName), Buffer.from(JSON.stringify(ports)));
}

/**
 * Runs `listen`, and says which port was taken and what to do about it: throws `ControlError`
 * CONTROL_PORT_TAKEN. Another port is never chosen silently, because sidecars would not find it.
 */
export async function listenOn<Listening>(
  portNumber: number,
  listen: (port: number) => Promise<Listening>,
): Promise<Listening> {
  try {
    return await listen(portNumber);
  } catch (cause) {
    const taken = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    if (!taken) throw cause;
    const message = `Port ${portNumber} is taken by another program.`;
    throw new ControlError('CONTROL_PORT_TAKEN', message, { cause });
  }
}

async function lastPorts(directory: string): Promise<NodePorts | null> {
  try {
    return shape.parse(JSON.parse(await readFile(join(directory, fileName), 'utf8')));
  } catch {
    // Absent at the first start; unreadable means new ports, and sidecars join again by token.
    return null;
  }
}
