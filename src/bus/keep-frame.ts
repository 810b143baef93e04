// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import { RecorderError } from '../recorder/entry.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { Line } from './control-port.ts';
import type { PayloadPort } from './payload-port.ts';
import type { RecordContext } from './record-frame.ts';

type KeepFrame = Extract<SidecarFrame, { kind: 'keep' }>;
type KeepContext = Pick<RecordContext, 'recordRates' | 'clock' | 'recorder'> & {
  readonly payloads: PayloadPort;
};

/**
 * Keeps what an agent read through a tool of its own, sealed like the payload of a message. Answered by
 * `recorded`, without a code once it is durable, or where this version of the policy keeps no reads.
 */
export function onKeepFrame(frame: KeepFrame, agent: string, line: Line, context: KeepContext): void {
  const { number } = frame;
  keep(frame, agent, context).then(
    (code) => line.send({ kind: 'recorded', number, code }),
    (failure: unknown) => {
      const code = failure instanceof RecorderError ? failure.code : 'RECORDER_NOT_DURABLE';
      line.send({ kind: 'recorded', number, code });
    },
  );
}

async function keep(
  { read, first, parts, pieces }: KeepFrame,
  agent: string,
  { payloads, recordRates, clock, recorder }: KeepContext,
): Promise<string | null> {
  if (!recordRates.take(agent, clock.nowMs())) return 'RECORDER_OVERLOADED';
  const bytes = pieces.map((piece) => Buffer.from(piece, 'base64'));
  const kept = payloads.keepRead({ ...read, agent }, { first, parts, pieces: bytes });
  if (kept === null) return null;
  await Promise.all([recorder.record(kept.entries), kept.durable]);
  return null;
}
