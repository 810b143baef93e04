// SPDX-License-Identifier: Apache-2.0
import type { BusConnection } from '../bus/connection.ts';
import { quarantineFrames } from '../bus/put-aside.ts';
import { ownersOf, type Followed } from '../control/late-refusal.ts';
import { LateRefusals, type LateRefusal } from '../control/late-refusals.ts';
import type { PutAside } from '../control/put-aside.ts';
import type { Alarm, Approver } from '../oversight/approver.ts';
import type { Recorder } from '../recorder/entry.ts';
import type { FlightRecorder } from '../recorder/recorder.ts';
import { faultOf } from './fault.ts';
import { newestEntries } from './newest-entries.ts';
import type { Plane } from './node-parts.ts';

/**
 * A judge refused what had gone on: the sidecars of everybody whom it reached, in whatever task, put it
 * aside, at once or when they are back; owners are told, and both are on record. What failed is
 * said. Answers whether it is new.
 */
export function lateRefusals(
  { live, clock, connected, recorder, log }: Plane,
  flight: FlightRecorder,
  approver: Approver,
  aside: PutAside,
): (late: LateRefusal) => boolean {
  const contain = async (
    { agent, task, message }: LateRefusal,
    { messages, done }: Followed,
  ): Promise<void> => {
    await aside.add(messages);
    for (const [name, ids] of messages) tell(connected.get(name), ids);
    const reached = [...messages.keys()].toSorted();
    const owners = ownersOf([agent, ...reached], live.mesh);
    const alarm: Alarm = { code: 'JUDGE_REFUSED_LATE', task, message, agents: reached, owners, done };
    const told = await toldBy(approver, alarm);
    await record(alarm, told, clock.nowMs(), recorder);
  };
  const refusals = new LateRefusals({
    entriesSince: (sinceMs) => newestEntries(flight, sinceMs, flight.size()),
    contain,
    report: (failure) => log(`node: late refusal: ${faultOf(failure)}`),
  });
  return (late) => refusals.take(late);
}

function tell(line: BusConnection | undefined, messages: readonly string[]): void {
  for (const frame of quarantineFrames(messages, [])) line?.tell(frame);
}

async function toldBy(approver: Approver, alarm: Alarm): Promise<boolean> {
  try {
    await approver.alarm(alarm);
    return approver.configured;
  } catch {
    // On record as untold; whoever looks at the record or its exporters sees it there.
    return false;
  }
}

async function record(alarm: Alarm, told: boolean, at: number, recorder: Recorder): Promise<void> {
  const { code, task, message, agents, owners, done } = alarm;
  await recorder.record([{
    kind: 'indicator.raised',
    id: `${message}.contained`,
    at,
    actor: 'node',
    task,
    message,
    causedBy: [message],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { indicator: 'LATE', agents: [...agents], owners: [...owners], done, told },
  }]);
}
