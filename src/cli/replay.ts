// SPDX-License-Identifier: Apache-2.0
import type { CommandIo } from './check.ts';

type ReplayOptions = {
  readonly file: string;
  readonly limit: string;
  readonly state?: string;
  readonly json: boolean;
};

export async function replay(options: ReplayOptions, io: CommandIo): Promise<number> {
  io.err(`replay of ${options.file} is being built`);
  return 1;
}
