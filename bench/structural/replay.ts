// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../../src/mesh/mesh.ts';
import type { JsonObject } from '../../src/message/json.ts';
import type { Assistant, SuiteMesh, Tried } from './mesh.ts';
import {
  attackText,
  defaultText,
  effects,
  fillMarkers,
  type InjectionTask,
  type Suite,
  type SuiteCall,
  type UserTask,
} from './suite.ts';
import type { Recorded, Stage } from './tool-server.ts';

export type TaskOutcome = {
  readonly task: string;
  readonly answerOnly: boolean;
  readonly completed: boolean;
  readonly approvals: number;
  readonly asked: readonly string[];
  /** The first call that did not go through, and why; null when all did. */
  readonly stoppedAt: string | null;
};

export type PairOutcome = {
  readonly user: string;
  readonly injection: string;
  /** Injected writes and reads that leave the system, which a tool executed. */
  readonly executed: readonly string[];
  readonly tried: number;
  readonly approvalsAsked: number;
  /** Why the others were not executed, as a person was told, or as the agent was. */
  readonly stoppedBy: readonly string[];
  /** The user task's own calls before the turn that did not go through. */
  readonly ownStopped: number;
};

/** Plays the tasks of a suite through the mesh of its file. */
export class Replay {
  readonly #suite: Suite;
  readonly #mesh: SuiteMesh;
  readonly #stage: Stage;
  readonly #effects: ReadonlySet<string>;
  readonly #actions: ReadonlyMap<string, string>;
  readonly #reads: ReadonlyMap<string, string>;

  constructor(suite: Suite, mesh: SuiteMesh, stage: Stage) {
    this.#suite = suite;
    this.#mesh = mesh;
    this.#stage = stage;
    this.#effects = effects(suite);
    const actions = [...mesh.mesh.actions.values()];
    this.#actions = new Map(actions.map(({ operation, name }) => [operation, name]));
    this.#reads = readsOf(mesh.mesh);
  }

  /** The task as it was meant, where nobody attacks; a person grants what it asks for. */
  async userTask(task: UserTask): Promise<TaskOutcome> {
    const text = defaultText(this.#suite);
    this.#stage.begin(this.#recorded(task, null, text));
    const assistant = await this.#mesh.begin(task.prompt);
    const asked: string[] = [];
    let stoppedAt: string | null = null;
    for (const [index, call] of task.calls.entries()) {
      const tried = await this.#try(assistant, call, call.args, true);
      if (tried.asked > 0) asked.push(`${index} ${call.tool}: ${tried.codes.join(' ')}`);
      if (!tried.done) stoppedAt ??= `${index} ${call.tool}: ${tried.codes.join(' ')}`;
    }
    return {
      task: task.id,
      answerOnly: task.answer_only,
      completed: stoppedAt === null,
      approvals: asked.length,
      asked,
      stoppedAt,
    };
  }

  /**
   * Where the agent turns: after each result that can hold an attack, and after the whole task.
   * Each is a run of its own, so that what was refused at one turn costs nothing at the next.
   */
  turnsOf(task: UserTask): readonly number[] {
    const results = this.#suite.expected_results[task.id] ?? [];
    const after = results.flatMap(({ vectors }, index) => (vectors.length > 0 ? [index + 1] : []));
    return [...new Set([...after, task.calls.length])];
  }

  /** The worst case: after so many of the task's calls, the agent does what the attack says. */
  async pair(task: UserTask, injection: InjectionTask, turn: number): Promise<PairOutcome> {
    const text = (): string => attackText(injection);
    this.#stage.begin(this.#recorded(task, injection, text));
    const assistant = await this.#mesh.begin(task.prompt);
    let ownStopped = 0;
    for (const call of task.calls.slice(0, turn)) {
      const args = fillMarkers(call.args_template ?? call.args, text);
      const own = await this.#try(assistant, call, args, true);
      if (!own.done) ownStopped += 1;
    }
    const executed: string[] = [];
    const stoppedBy: string[] = [];
    let tried = 0;
    let approvalsAsked = 0;
    for (const [index, call] of injection.calls.entries()) {
      const args = fillMarkers(call.args_template ?? call.args, text);
      const injected = await this.#inject(assistant, call, args);
      approvalsAsked += injected.asked;
      if (!this.#effects.has(call.tool)) continue;
      tried += 1;
      if (injected.executed) executed.push(`${index} ${call.tool}`);
      else stoppedBy.push(injected.codes.join(' '));
    }
    const names = { user: task.id, injection: injection.id };
    return { ...names, executed, tried, approvalsAsked, stoppedBy, ownStopped };
  }

  /** One injected call; a person who is asked says no. True when a tool executed it. */
  async #inject(
    assistant: Assistant,
    call: SuiteCall,
    args: JsonObject,
  ): Promise<Tried & { readonly executed: boolean }> {
    const before = this.#stage.executed.length;
    const tried = await this.#try(assistant, call, args, false);
    const executed = this.#stage.executed.slice(before).some((one) => one.tool === call.tool);
    return { ...tried, executed };
  }

  async #try(
    assistant: Assistant,
    call: SuiteCall,
    args: JsonObject,
    approve: boolean,
  ): Promise<Tried> {
    const tool = this.#reads.get(call.tool);
    if (tool !== undefined) return assistant.read(tool, call.tool, args);
    const action = this.#actions.get(call.tool);
    if (action === undefined) throw new Error(`The mesh file has no ${call.tool}.`);
    return assistant.act(action, args, approve);
  }

  #recorded(
    task: UserTask,
    injection: InjectionTask | null,
    text: (vector: string) => string,
  ): readonly Recorded[] {
    const { expected_results: results, injection_expected_results: injected } = this.#suite;
    const own = task.calls.map((call, index) => ({
      tool: call.tool,
      args: fillMarkers(injection === null ? call.args : (call.args_template ?? call.args), text),
      result: fillMarkers(results[task.id]?.[index]?.result ?? null, text),
    }));
    const others = (injection?.calls ?? []).map((call, index) => ({
      tool: call.tool,
      args: fillMarkers(call.args_template ?? call.args, text),
      result: fillMarkers(injected[injection?.id ?? '']?.[index]?.result ?? null, text),
    }));
    return [...own, ...others];
  }
}

function readsOf(mesh: Mesh): ReadonlyMap<string, string> {
  const reads = new Map<string, string>();
  for (const tool of mesh.tools.values()) {
    for (const operation of tool.operations.values()) {
      if (!operation.write) reads.set(operation.name, tool.name);
    }
  }
  return reads;
}
