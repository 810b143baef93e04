// SPDX-License-Identifier: Apache-2.0
import { codeEntry } from '../process/codes.ts';
import { printable } from './text-lines.ts';

/** What the system says of a name, an address or a port that it cannot listen on or reach. */
const ofAddresses: ReadonlySet<unknown> = new Set(['getaddrinfo', 'listen', 'bind', 'connect']);

/**
 * What the command line says of what ended a command: code, message and, in brackets, the mend. What the system
 * says of a file or an address has its own words and no mend, and is given a code of ours.
 */
export function failureText(failure: unknown): string {
  if (!(failure instanceof Error)) return 'unknown failure';
  const [code, path, syscall] = ['code', 'path', 'syscall'].map((member): unknown => Reflect.get(failure, member));
  if (typeof code !== 'string') return failure.message;
  const mend = codeEntry(code)?.mend;
  if (mend !== undefined) return `${code}: ${failure.message} (${mend})`;
  if (ofAddresses.has(syscall)) return coded('CONTROL_ADDRESS_UNUSABLE', failure.message);
  if (typeof path === 'string') return coded('CONTROL_FILE_UNUSABLE', `${printable(path)} cannot be used: ${code}.`);
  if (syscall === 'read') return coded('CONTROL_FILE_UNUSABLE', failure.message);
  return `${code}: ${failure.message}`;
}

function coded(code: 'CONTROL_ADDRESS_UNUSABLE' | 'CONTROL_FILE_UNUSABLE', message: string): string {
  return `${code}: ${message} (${codeEntry(code)?.mend ?? ''})`;
}
