// SPDX-License-Identifier: Apache-2.0
import type { ToolFunction } from '../../src/adapters/tool-function.ts';
import { canonicalize } from '../../src/message/canonical-json.ts';
import type { JsonObject, JsonValue } from '../../src/message/json.ts';
import { loadSuite, suiteVariable } from './suite.ts';

/** One call that reached a tool, so that it was executed. */
export type Executed = { readonly tool: string; readonly args: JsonObject };

export type Recorded = {
  readonly tool: string;
  readonly args: JsonObject;
  readonly result: JsonValue;
};

/**
 * What the tools answer in the present run: the recorded result of the same call, taken in order
 * where it is made several times. A call that was not recorded gets null, and counts as executed
 * all the same.
 */
export class Stage {
  #recorded = new Map<string, JsonValue[]>();
  #executed: Executed[] = [];

  begin(recorded: readonly Recorded[]): void {
    this.#recorded = new Map();
    this.#executed = [];
    for (const { tool, args, result } of recorded) {
      const key = keyOf(tool, args);
      this.#recorded.set(key, [...(this.#recorded.get(key) ?? []), result]);
    }
  }

  get executed(): readonly Executed[] {
    return this.#executed;
  }

  run(tool: string, args: JsonObject): JsonValue {
    this.#executed.push({ tool, args });
    const results = this.#recorded.get(keyOf(tool, args)) ?? [];
    return (results.length > 1 ? results.shift() : results[0]) ?? null;
  }
}

export const stage = new Stage();

function keyOf(tool: string, args: JsonObject): string {
  return `${tool} ${canonicalize(args)}`;
}

function operationsOf(file: string | undefined): { readonly [name: string]: ToolFunction } {
  if (file === undefined) return {};
  return Object.fromEntries(loadSuite(file).suite.tools.map(({ name }) => [
    name,
    {
      description: 'Answers what was recorded.',
      inputSchema: { type: 'object' },
      run: (args) => stage.run(name, args),
    } satisfies ToolFunction,
  ]));
}

export const operations = operationsOf(process.env[suiteVariable]);
