// SPDX-License-Identifier: Apache-2.0
import type { MeshCode } from './codes.ts';
import { meshCodes } from './codes.ts';

/** A place in a text file; line and column count from 1. */
export type Position = { readonly file: string; readonly line: number; readonly column: number };

/**
 * One thing that is wrong, or questionable, in a mesh file or a file it names. It may quote keys
 * and names; it never quotes a scalar value, which may be a secret (G9).
 */
export type Diagnostic = Position & {
  readonly code: string;
  readonly message: string;
  readonly mend: string;
  readonly severity: 'error' | 'warning';
};

export type Severity = Diagnostic['severity'];

/** A mesh file that cannot be used at all; `diagnostics` says everything that is wrong with it. */
export class MeshError extends Error {
  readonly code: MeshCode;
  readonly diagnostics: readonly Diagnostic[];
  constructor(
    code: MeshCode,
    message: string,
    diagnostics: readonly Diagnostic[],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MeshError';
    this.code = code;
    this.diagnostics = diagnostics;
  }
}

/** Builds a diagnostic; the mend is the code's own unless a nearer one is known. */
export function diagnostic(
  code: MeshCode,
  severity: Severity,
  position: Position,
  message: string = meshCodes[code].means,
  mend: string = meshCodes[code].mend,
): Diagnostic {
  const { file, line, column } = position;
  return { file, line, column, code, message, mend, severity };
}

/** `file:line:column CODE message (mend)`, as editors and `maso check` show it. */
export function formatDiagnostic(item: Diagnostic): string {
  const mark = item.severity === 'warning' ? 'warning ' : '';
  const place = `${item.file}:${item.line}:${item.column}`;
  return `${place} ${mark}${item.code} ${item.message} (${item.mend})`;
}

/** A name as it may be shown: quoted, control characters escaped, cut at 64 characters. */
export function shown(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
}
