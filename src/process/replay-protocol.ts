// SPDX-License-Identifier: Apache-2.0
import type { Socket } from 'node:net';
import { isJsonObject } from '../message/json.ts';

/** The agents of the replay's private mesh. */
export type ReplayAgent = 'sender' | 'recipient' | 'reader';

/** What the replay tells one of its agents to do. */
export type ReplayJob = {
  readonly number: number;
  /** The text to send; null for a tool, which has it. */
  readonly text: string | null;
  /** The tool to read it with; absent where there is a text to send. */
  readonly tool?: string;
};

/** What an agent tells the replay. Times are microseconds of the machine's monotonic clock. */
export type ReplayNews =
  | { readonly kind: 'joined'; readonly agent: ReplayAgent }
  /** The sidecar answered; `id` is the message's or the call's, null when it was not even taken. */
  | {
      readonly kind: 'done';
      readonly number: number;
      readonly id: string | null;
      readonly verdict: 'GO' | 'NO-GO' | 'ESCALATE';
      readonly code: string | null;
      readonly startedUs: number;
      readonly endedUs: number;
    }
  /** The session has ended; the job was not taken, and this process gives way to the next. */
  | { readonly kind: 'gone'; readonly number: number }
  | { readonly kind: 'received'; readonly id: string; readonly atUs: number };

/** One JSON text a line, either way. */
export function sayTo(socket: Socket, message: ReplayJob | ReplayNews): void {
  if (!socket.destroyed) socket.write(`${JSON.stringify(message)}\n`);
}

/** Hears one line after the other; both ends are ours, so a line that is not JSON is a fault. */
export function listenTo<Message>(socket: Socket, hear: (message: Message) => void): void {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const message: unknown = JSON.parse(line);
      if (isJsonObject(message)) hear(message as Message);
    }
  });
}

/** Comparable between the processes of one machine. */
export function monotonicUs(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
