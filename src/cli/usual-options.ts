// SPDX-License-Identifier: Apache-2.0
import type { Command, Option } from 'commander';

/** Options that many commands have in the same words. */
export type UsualOptions = {
  readonly state: () => Option;
  readonly json: () => Option;
  /** Adds who signs, with which key, and why. */
  readonly signedBy: (command: Command) => Command;
};
