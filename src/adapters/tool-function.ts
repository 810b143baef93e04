// SPDX-License-Identifier: Apache-2.0
import { pathToFileURL } from 'node:url';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import type { ToolManifest } from '../mesh/mesh.ts';
import { compileInput } from '../tool/compiled-schema.ts';
import type { Check } from '../tool/compiled-schema.ts';
import { checkOperationPins } from '../tool/pins.ts';
import { boundsRefusal } from '../tool/result-bounds.ts';
import type { ResultBounds } from '../tool/result-bounds.ts';
import { ToolError } from '../tool/tool-error.ts';
import type { ToolAnswer, ToolCall, ToolDescription, ToolRunner } from '../tool/tool-runner.ts';
import { checkProgramFiles } from './tool-program-files.ts';

/** What a module of plain functions exports under `operations`, by name. */
export type ToolFunction = {
  readonly description: string;
  readonly inputSchema: JsonObject;
  /** A write that throws is IN-DOUBT: decline with a result instead. */
  readonly run: (
    given: JsonObject,
    call: { readonly idempotencyKey: string; readonly signal: AbortSignal },
  ) => JsonValue | Promise<JsonValue>;
};

export type FunctionRunnerOptions = {
  readonly manifest: ToolManifest;
  readonly module: string;
  readonly directory: string;
  readonly pins: 'enforce' | 'report';
  readonly bounds: ResultBounds;
};

type Loaded = { readonly run: ToolFunction['run']; readonly input: Check };

/**
 * Plain functions of a module, called in this process. They share the sidecar's memory: only the
 * operator's own code belongs here, and pins are what says that it is. A function that never
 * returns control is beyond any timeout.
 */
export class FunctionToolRunner implements ToolRunner {
  readonly #options: FunctionRunnerOptions;
  readonly #underWay = new Set<AbortController>();
  #loaded: ReadonlyMap<string, Loaded> | null = null;

  constructor(options: FunctionRunnerOptions) {
    this.#options = options;
  }

  async start(): Promise<readonly ToolDescription[]> {
    const { manifest, module, directory, pins } = this.#options;
    if (pins === 'enforce') checkProgramFiles(manifest.name, [module], directory, manifest.pins);
    const exported = await importOperations(module, manifest.name);
    const functions = [...manifest.operations.keys()].map((operation) => {
      const found = Object.hasOwn(exported, operation) ? exported[operation] : undefined;
      if (isToolFunction(found)) return { operation, found };
      throw new ToolError('TOOL_OPERATION_MISSING', `There is no ${manifest.name}.${operation}.`);
    });
    const descriptions = functions.map(({ operation, found }) => {
      const { description, inputSchema } = found;
      return { operation, description, inputSchema };
    });
    if (pins === 'enforce') checkOperationPins(manifest.name, manifest.pins, descriptions);
    this.#loaded = new Map(
      functions.map(({ operation, found }) => {
        return [operation, { run: found.run, input: compileInput(found.inputSchema) }] as const;
      }),
    );
    return descriptions;
  }

  async call(call: ToolCall): Promise<ToolAnswer> {
    const loaded = this.#loaded?.get(call.operation);
    const operation = this.#options.manifest.operations.get(call.operation);
    if (this.#loaded === null) return { status: 'failed', reason: 'TOOL_UNAVAILABLE' };
    if (loaded === undefined || operation === undefined) {
      return { status: 'failed', reason: 'TOOL_UNKNOWN' };
    }
    if (!loaded.input(call.arguments)) return { status: 'failed', reason: 'TOOL_ARGUMENTS' };
    const status = operation.write ? 'unknown' : 'failed';
    const ending = new AbortController();
    this.#underWay.add(ending);
    const timer = setTimeout(() => ending.abort('TOOL_TIMEOUT'), call.timeoutMs);
    const { signal } = ending;
    const ended = new Promise<ToolAnswer>((resolve) => {
      signal.addEventListener('abort', () => resolve({ status, reason: signal.reason }));
    });
    try {
      const { idempotencyKey } = call;
      const run = async (): Promise<ToolAnswer> =>
        this.#answer(await loaded.run(call.arguments, { idempotencyKey, signal }), operation.write);
      return await Promise.race([ended, run()]);
    } catch {
      // The function may have acted before it threw.
      return { status, reason: 'TOOL_ANSWERED_ERROR' };
    } finally {
      clearTimeout(timer);
      this.#underWay.delete(ending);
    }
  }

  async close(): Promise<void> {
    this.#loaded = null;
    for (const call of this.#underWay) call.abort('TOOL_DIED');
  }

  /** A function that does not heed its signal goes on: it shares this process. */
  abort(): 'told' {
    for (const call of this.#underWay) call.abort('TOOL_ABORTED');
    return 'told';
  }

  /** A copy, so that the function cannot change the value after the gate has reviewed it. */
  #answer(value: JsonValue, write: boolean): ToolAnswer {
    const refusal = boundsRefusal(value, this.#options.bounds);
    if (refusal !== null) return { status: write ? 'unknown' : 'failed', reason: refusal };
    return { status: 'done', value: structuredClone(value) };
  }
}

async function importOperations(
  module: string,
  tool: string,
): Promise<{ readonly [name: string]: unknown }> {
  let loaded: unknown;
  try {
    loaded = await import(pathToFileURL(module).href);
  } catch (cause) {
    throw new ToolError('TOOL_START_FAILED', `The module of ${tool} does not load.`, { cause });
  }
  const operations = isRecord(loaded) ? loaded['operations'] : null;
  if (isRecord(operations)) return operations;
  throw new ToolError('TOOL_START_FAILED', `The module of ${tool} exports no operations.`);
}

function isToolFunction(value: unknown): value is ToolFunction {
  if (!isRecord(value)) return false;
  const schema = value['inputSchema'];
  return (
    typeof value['description'] === 'string' &&
    typeof value['run'] === 'function' &&
    boundsRefusal(schema, { sizeMax: 262_144, depthMax: 64 }) === null &&
    isJsonObject(schema)
  );
}

function isRecord(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null;
}
