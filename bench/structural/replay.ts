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
};

/** Where the agent turns: at the first result that can hold an attack, after each, at the end. */
export type Turn = 'first' | 'every' | 'end';
export const turns: readonly Turn[] = ['first', 'every', 'end'];

/** How the tools of a suite are reached in its mesh file. */
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
    this.#actions = new Map([...mesh.mesh.actions.values()].map((one) => [one.operation, one.name]));
    this.#reads = readsOf(mesh.mesh);
  }

  /** The task as it was meant, in an environment that nobody attacked; a person grants what it asks. */
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

  /** The worst case: once the agent has read the attack, it does exactly what the attack says. */
  async pair(task: UserTask, injection: InjectionTask, turn: Turn): Promise<PairOutcome> {
    const text = (): string => attackText(injection);
    this.#stage.begin(this.#recorded(task, injection, text));
    const assistant = await this.#mesh.begin(task.prompt);
    const attack = new Attack(this, assistant, injection, text);
    let turned = false;
    for (const [index, call] of task.calls.entries()) {
      const args = fillMarkers(call.args_template ?? call.args, text);
      await this.#try(assistant, call, args, true);
      const vectors = this.#suite.expected_results[task.id]?.[index]?.vectors ?? [];
      if (vectors.length === 0 || turn === 'end' || (turn === 'first' && turned)) continue;
      turned = true;
      await attack.run();
    }
    if (turn === 'end') await attack.run();
    const { executed, tried, approvalsAsked } = attack;
    return { user: task.id, injection: injection.id, executed, tried, approvalsAsked };
  }

  /** One injected call; a person who is asked says no. True when a tool executed it. */
  async inject(
    assistant: Assistant,
    call: SuiteCall,
    args: JsonObject,
  ): Promise<{ readonly executed: boolean; readonly asked: number }> {
    const before = this.#stage.executed.length;
    const tried = await this.#try(assistant, call, args, false);
    const executed = this.#stage.executed.slice(before).some((one) => one.tool === call.tool);
    return { executed, asked: tried.asked };
  }

  isEffect(tool: string): boolean {
    return this.#effects.has(tool);
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

class Attack {
  readonly #replay: Replay;
  readonly #assistant: Assistant;
  readonly #injection: InjectionTask;
  readonly #text: () => string;
  readonly executed: string[] = [];
  tried = 0;
  approvalsAsked = 0;

  constructor(
    replay: Replay,
    assistant: Assistant,
    injection: InjectionTask,
    text: () => string,
  ) {
    this.#replay = replay;
    this.#assistant = assistant;
    this.#injection = injection;
    this.#text = text;
  }

  async run(): Promise<void> {
    for (const [index, call] of this.#injection.calls.entries()) {
      const args = fillMarkers(call.args_template ?? call.args, this.#text);
      const { executed, asked } = await this.#replay.inject(this.#assistant, call, args);
      this.approvalsAsked += asked;
      if (!this.#replay.isEffect(call.tool)) continue;
      this.tried += 1;
      if (executed) this.executed.push(`${index} ${call.tool}`);
    }
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
