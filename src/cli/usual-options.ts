// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, type Command, type Option } from 'commander';

/** Options that many commands have in the same words. */
export type UsualOptions = {
  readonly state: () => Option;
  readonly json: () => Option;
  /** Adds who signs, with which key, and why. */
  readonly signedBy: (command: Command) => Command;
};

/** Takes a whole number from 0 up; anything else is wrong usage, since no count is at least one that is none. */
export function countOf(text: string): string {
  if (/^[0-9]{1,9}$/.test(text)) return text;
  throw new InvalidArgumentError('A count is a whole number from 0 up.');
}

/** Takes the number of a port, 0 for one that the system picks; anything else is wrong usage. */
export function portOf(text: string): string {
  if (/^[0-9]{1,5}$/.test(text) && Number(text) <= 65_535) return text;
  throw new InvalidArgumentError('A port is a number from 0 to 65535.');
}
