// SPDX-License-Identifier: Apache-2.0
import type { Mesh, ResultField } from './mesh.ts';

/**
 * The result field that a source `tool.operation.field` names, or null when no tool declares it. A
 * key of `results` whose first step is an operation holds for that operation, any other for all.
 */
export function findSource(mesh: Mesh, source: string): ResultField | null {
  const [toolName = '', operation = '', ...steps] = source.split('.');
  const tool = mesh.tools.get(toolName);
  if (tool === undefined || steps.length === 0 || !tool.operations.has(operation)) return null;
  const field = steps.join('.');
  const shared = tool.operations.has(steps[0] ?? '') ? undefined : tool.results.get(field);
  return tool.results.get(`${operation}.${field}`) ?? shared ?? null;
}
