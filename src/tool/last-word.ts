// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '../message/clock.ts';
import type { AdmissionFields } from './admitted.ts';
import { paceRefusal, type GateStanding } from './gate-standing.ts';

type Moment = GateStanding & {
  readonly clock: Clock;
  /** False once a newer version of the policy is in force. */
  readonly isCurrent: () => boolean;
};

/**
 * Says right before a tool is handed its call whether that still may begin: recording the intent took
 * time, and so does a tool that has to be started first. Asked as often as something was waited for.
 * Once it has refused, the refusal stands.
 */
export class LastWord {
  readonly #fields: AdmissionFields;
  readonly #moment: Moment;
  #code: string | null = null;

  constructor(fields: AdmissionFields, moment: Moment) {
    this.#fields = fields;
    this.#moment = moment;
  }

  /** Why the call did not begin; null where nothing speaks against it. */
  get code(): string | null {
    return this.#code;
  }

  mayBegin(): boolean {
    this.#code ??= this.#refusal();
    return this.#code === null;
  }

  #refusal(): string | null {
    const { beginBeforeMs, write, standing } = this.#fields;
    const { clock, isCurrent } = this.#moment;
    // G7: PACE may have moved while the intent was made durable, or while the tool was started.
    const clamped = paceRefusal(this.#moment);
    if (clamped !== null && (write || clamped !== 'PACE_READ_ONLY')) return clamped;
    if (!(clock.nowMs() < beginBeforeMs)) return 'TOOL_ADMISSION_LATE';
    // What a newer version would judge otherwise does not run.
    if (write && !isCurrent()) return 'TOOL_POLICY_SUPERSEDED';
    try {
      return standing();
    } catch {
      // Not knowing is the same as being refused; nothing was called.
      return 'TOOL_STANDING_UNKNOWN';
    }
  }
}
