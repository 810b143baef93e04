// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { ToolPins } from '../mesh/mesh.ts';
import { canonicalize } from '../message/canonical-json.ts';
import { ToolError } from './tool-error.ts';
import type { ToolDescription } from './tool-runner.ts';

export type PinChange = {
  readonly what: 'file' | 'operation';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
};

/** SHA-256 (base64url) of what an agent and the gate rely on: description and input schema. */
export function operationPin(tool: ToolDescription): string {
  const text = canonicalize({ description: tool.description, inputSchema: tool.inputSchema });
  return createHash('sha256').update(text).digest('base64url');
}

export function filePin(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('base64url');
}

export function pinOperations(tools: readonly ToolDescription[]): ToolPins['operations'] {
  return Object.fromEntries(tools.map((tool) => [tool.operation, operationPin(tool)]));
}

/**
 * Throws `ToolError` with `TOOL_PIN_MISMATCH` unless every description is the approved one, and
 * with `TOOL_NOT_PINNED` when there are no pins to compare with.
 */
export function checkOperationPins(
  tool: string,
  pins: ToolPins | null,
  offered: readonly ToolDescription[],
): void {
  if (pins === null) throw new ToolError('TOOL_NOT_PINNED', `The tool ${tool} has no pins.`);
  for (const description of offered) {
    const { operation } = description;
    const approved = Object.hasOwn(pins.operations, operation) ? pins.operations[operation] : null;
    if (approved !== operationPin(description)) {
      throw new ToolError('TOOL_PIN_MISMATCH', `The operation ${tool}.${operation} has changed.`);
    }
  }
}

/** What `found` would change about `approved`, sorted by kind and name. */
export function comparePins(approved: ToolPins | null, found: ToolPins): readonly PinChange[] {
  return [
    ...compareMaps('file', approved?.files ?? {}, found.files),
    ...compareMaps('operation', approved?.operations ?? {}, found.operations),
  ];
}

function compareMaps(
  what: PinChange['what'],
  approved: { readonly [name: string]: string },
  found: { readonly [name: string]: string },
): readonly PinChange[] {
  const names = new Set([...Object.keys(approved), ...Object.keys(found)]);
  const changes: PinChange[] = [];
  for (const name of [...names].sort()) {
    const before = Object.hasOwn(approved, name) ? approved[name] : undefined;
    const after = Object.hasOwn(found, name) ? found[name] : undefined;
    if (before === after) continue;
    const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
    changes.push({ what, name, change: kind });
  }
  return changes;
}
