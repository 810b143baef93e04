// SPDX-License-Identifier: Apache-2.0
import type { AllotmentAnswer } from '../bounds/allot.ts';
import type { AllotmentAsk, AllotmentReport } from '../bounds/ask.ts';
import type { SidecarFrame } from '../wire/frame.ts';
import type { BusContext } from './connection.ts';
import type { Line } from './control-port.ts';

/** The owner of caps and bounds; the control plane implements it. */
export type BoundsPort = {
  /** Never rejects. */
  readonly allot: (executor: string, ask: AllotmentAsk) => Promise<AllotmentAnswer>;
  /** Rejects when the report could not be made durable; it is sent again. */
  readonly settle: (executor: string, report: AllotmentReport) => Promise<void>;
};

type BoundsFrame = Extract<SidecarFrame, { kind: 'allot' | 'settle' }>;

/**
 * A sidecar asks the owner of the bounds, or tells it how calls ended. Frames of one line reach the
 * owner in their order; one that asks without end is refused, and its calls with it.
 */
export function onBoundsFrame(
  frame: BoundsFrame,
  executor: string,
  line: Line,
  { recordRates, clock, control }: BusContext,
): void {
  const { number } = frame;
  if (!recordRates.take(executor, clock.nowMs())) {
    return line.send({ kind: 'refused', number, code: 'BUS_RATE_LIMITED' });
  }
  switch (frame.kind) {
    case 'allot':
      control.allot(executor, frame.ask).then(
        (answer) => line.send({ kind: 'allotted', number, answer }),
        () => line.send({ kind: 'refused', number, code: 'BUS_UNAVAILABLE' }),
      );
      return;
    case 'settle':
      Promise.all(frame.reports.map((report) => control.settle(executor, report))).then(
        () => line.send({ kind: 'settled', number, code: null }),
        () => line.send({ kind: 'settled', number, code: 'BUS_UNAVAILABLE' }),
      );
      return;
    default:
      return frame satisfies never;
  }
}
