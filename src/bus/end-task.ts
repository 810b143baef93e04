// SPDX-License-Identifier: Apache-2.0
import type { SidecarFrame } from '../wire/frame.ts';
import type { BusContext } from './connection.ts';
import type { Line } from './control-port.ts';

/** An agent says that a task is over; whether it is its own is the control plane's to know. */
export function onEndTask(
  { number, task }: Extract<SidecarFrame, { kind: 'end-task' }>,
  agent: string,
  line: Line,
  { control, recordRates, clock }: BusContext,
): void {
  const answer = (code: string | null): void => line.send({ kind: 'recorded', number, code });
  if (!recordRates.take(agent, clock.nowMs())) return answer('RECORDER_OVERLOADED');
  control.endTask(agent, task).then(answer, () => answer('BUS_UNAVAILABLE'));
}
