// SPDX-License-Identifier: Apache-2.0
import type { Mesh, ResultField } from './mesh.ts';

/** Before a source: the read that gave it was asked for in the prompt's own words. */
export const askedPrefix = 'asked.';
/** Before `ACTION.PARAMETER`: a sensitive value of an action that was done in this task. */
export const donePrefix = 'done.';
const promptSourceNames: ReadonlySet<string> = new Set([
  'prompt',
  'prompt.words',
  'prompt.numbers',
]);

/** True for what the originator's person said, as a whole value or as one inside a text. */
export function isPromptSource(source: string): boolean {
  return promptSourceNames.has(source);
}

/** True for a sensitive parameter of an action of this mesh: what a done action has established. */
export function isDoneSource(mesh: Mesh, source: string): boolean {
  if (!source.startsWith(donePrefix)) return false;
  const [action = '', ...parameter] = source.slice(donePrefix.length).split('.');
  return mesh.actions.get(action)?.sensitive.has(parameter.join('.')) === true;
}

/**
 * The result field that a source `tool.operation.field` names, or null when no tool declares it. A
 * key of `results` whose first step is an operation holds for that operation, any other for all.
 */
export function findSource(mesh: Mesh, name: string): ResultField | null {
  const source = name.startsWith(askedPrefix) ? name.slice(askedPrefix.length) : name;
  const [toolName = '', operation = '', ...steps] = source.split('.');
  const tool = mesh.tools.get(toolName);
  if (tool === undefined || steps.length === 0 || !tool.operations.has(operation)) return null;
  const field = steps.join('.');
  const shared = tool.operations.has(steps[0] ?? '') ? undefined : tool.results.get(field);
  return tool.results.get(`${operation}.${field}`) ?? shared ?? null;
}
