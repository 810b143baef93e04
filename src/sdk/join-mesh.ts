// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import {
  changeWorkflowThrough,
  listWorkflows,
  type ChangeableWorkflow,
  type ChangedWorkflow,
  type ChangeOptions,
} from './change-workflow.ts';
import { knowledgeThrough, memoryThrough, type Knowledge, type Memory } from './knowledge.ts';
import { SidecarHttp, SidecarRefused, type Call } from './sidecar-http.ts';

export type JoinOptions = {
  /** Unix socket path or `http://127.0.0.1:PORT`; default: what the sidecar gave this process. */
  readonly sidecar?: string;
  /** Default: read once from the inherited descriptor. */
  readonly token?: string;
};

const retryMs = 100;
const decisionPollMs = 500;

/** Coarse and closed; the reason is in the operator's trace under `traceId`. */
export type Refusal = { readonly verdict: 'NO-GO'; readonly code: string; readonly traceId: string | null };

/**
 * Terms of the mandate that goes along with a task or an instruction. What is left out is as wide as
 * the sender can make it; what is wider than the sender has is refused.
 */
export type MandateTerms = {
  readonly rights?: readonly {
    readonly right: 'request' | 'perform';
    readonly executor?: string;
    readonly action: string;
    /** Parameter -> what it may be: `oneOf`, `min`, `max`, `atMost`, `formats`, `each`, `absent`. */
    readonly constraints?: { readonly [parameter: string]: { readonly [member: string]: unknown } };
    readonly limits?: {
      readonly count?: number;
      readonly totals?: { readonly [parameter: string]: number };
      readonly rates?: readonly { readonly count: number; readonly windowMs: number }[];
    };
  }[];
  /** At most an hour, and never longer than the identity that signs. */
  readonly lifetimeMs?: number;
  /** Schema id of the expected result. */
  readonly output?: string;
  /** Hops after the originator, 1 or 2. */
  readonly maxDepth?: number;
};

export type Epistemic = {
  /** 0 to 1. */
  readonly confidence: number | null;
  readonly assumptions: readonly string[];
  readonly unknowns: readonly string[];
};

export type SendOptions = {
  readonly to: string;
  readonly type: 'data' | 'instruction' | 'claim';
  readonly schema: string;
  readonly payload: unknown;
  readonly task?: string;
  readonly inReplyTo?: string;
  readonly domain?: string;
  readonly metadata?: { readonly [key: string]: string };
  /** Of a `claim` or `data`: how sure the sender is, on what it rests, and what is not known. */
  readonly epistemic?: Epistemic;
  /** Instructions only. */
  readonly mandate?: MandateTerms;
};

export type Sent = {
  readonly verdict: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly code: string | null;
  readonly messageId: string | null;
  readonly task: string | null;
  readonly traceId: string | null;
  /**
   * The agent that has it in the place of one that PACE took out of work; absent: the one asked for. Where an
   * action was refused, the one that may be asked for it anew: the other may have begun it.
   */
  readonly standby?: string;
};

export type Message = {
  readonly id: string;
  readonly from: string;
  readonly type: 'data' | 'instruction' | 'claim';
  readonly schema: string;
  readonly task: string;
  readonly inReplyTo: string | null;
  readonly payload: unknown;
  readonly metadata: { readonly [key: string]: string };
  /** How sure its sender says it is; null where it says nothing. */
  readonly epistemic: Epistemic | null;
};

export type RequestOptions = {
  readonly task?: string;
  readonly idempotencyKey: string;
  readonly evidence?: readonly string[];
  readonly waitMs?: number;
  readonly domain?: string;
};

export type ActionResult = Sent & {
  /** Null while there is no outcome: running, held for people, or refused before the executor. */
  readonly status: 'DONE' | 'REFUSED' | 'HELD' | 'IN-DOUBT' | 'FAILED' | null;
  readonly result: unknown;
};

export type ToolResult = {
  readonly verdict: 'GO' | 'NO-GO';
  readonly code: string | null;
  readonly result: unknown;
  readonly traceId: string | null;
};

export type SpawnOptions = {
  readonly task: string;
  readonly key: string;
  readonly lifetimeMs?: number;
  /** Null or absent: all that template and parent have. */
  readonly tools?: readonly string[];
  readonly requests?: readonly string[];
  readonly clearance?: string;
  readonly waitMs?: number;
};

export type Spawned = {
  readonly verdict: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly code: string | null;
  /** The name to send to; null while a person decides, or when refused. */
  readonly child: string | null;
  readonly endsAt: number | null;
};

/** An agent's place in the mesh. It holds no key; everything goes through its sidecar. */
export type MeshAgent = {
  readonly name: string;
  readonly isolation: 'none' | 'uid' | 'container';
  /** Starts a task with a person's prompt; originators only. */
  readonly startTask: (task: {
    readonly to: string;
    readonly schema: string;
    readonly prompt: { readonly [member: string]: unknown };
    readonly domain?: string;
    readonly mandate?: MandateTerms;
  }) => Promise<Sent>;
  /** Ends a task that this agent started: every mandate for it is void from then on. */
  readonly endTask: (task: string) => Promise<void>;
  /** Hands over a mandate that a person issued to this agent; resolves with the task it is for. */
  readonly holdMandate: (chain: string) => Promise<string>;
  readonly send: (message: SendOptions) => Promise<Sent>;
  /** Asks an executor for an action and waits for its outcome. */
  readonly request: (
    to: string,
    action: string,
    parameters: { readonly [name: string]: unknown },
    options: RequestOptions,
  ) => Promise<ActionResult>;
  /**
   * Asks for an agent of a template, for one task that this one was handed, and waits up to `waitMs`
   * while a person decides. The same key asks for the same child.
   */
  readonly spawn: (template: string, options: SpawnOptions) => Promise<Spawned>;
  readonly workflows: {
    readonly list: () => Promise<readonly ChangeableWorkflow[]>;
    /** Proposes to open and close edges of a workflow; the mesh file says which, and by whom. */
    readonly change: (workflow: string, options: ChangeOptions) => Promise<ChangedWorkflow>;
  };
  /** Ends one child, or all that this agent has in a task; gives how many. */
  readonly endChildren: (which: { readonly child: string } | { readonly task: string }) => Promise<number>;
  /**
   * Asks the agent's own model: body and answer of an OpenAI chat completion, without streams. With
   * `metadata.task` it counts for that task. Rejects with `SidecarRefused` when the sidecar refuses.
   */
  readonly complete: (
    request: { readonly messages: readonly unknown[]; readonly [member: string]: unknown },
  ) => Promise<{ readonly [member: string]: unknown }>;
  readonly memory: Memory;
  readonly knowledge: Knowledge;
  readonly tools: {
    readonly list: () => Promise<readonly { readonly [member: string]: unknown }[]>;
    /** `tool.operation`. */
    readonly call: (
      operation: string,
      args?: { readonly [name: string]: unknown },
      options?: { readonly task?: string },
    ) => Promise<ToolResult>;
  };
  /**
   * Messages as they come, at least once, acknowledged once the loop is through with them. The one
   * on which a loop is left is not acknowledged: the next process gets it again. Those after it come
   * first in the next loop. Rides out a restart of the sidecar; ends with `signal` (rejecting as
   * aborted) or when the session ends.
   */
  readonly messages: (signal?: AbortSignal) => AsyncGenerator<Message>;
  readonly close: () => void;
};

/**
 * Joins the mesh through the sidecar beside this process. Rejects with `SidecarRefused` when the
 * sidecar does not open a session, for example because the token was used before.
 */
export async function joinMesh(options: JoinOptions = {}): Promise<MeshAgent> {
  const address = options.sidecar ?? process.env['MASO_SIDECAR'];
  if (address === undefined) throw new Error('No sidecar: run the agent with maso sidecar.');
  const token = options.token ?? inheritedToken();
  const http = await SidecarHttp.open(address, token);
  return meshAgent(http.agent, http.isolation, (call) => http.call(call), () => http.close());
}

/** Makes the agent's interface over any way of calling the sidecar. */
export function meshAgent(
  name: string,
  isolation: MeshAgent['isolation'],
  call: (call: Call) => Promise<{ readonly [member: string]: unknown }>,
  close: () => void,
): MeshAgent {
  /** Handed to this process, and in no loop yet. */
  const fetched: Message[] = [];
  return {
    name,
    isolation,
    startTask: async (task) => sentOf(await call({ path: '/v1/tasks', body: task })),
    endTask: async (task) => accepted(await call({ path: '/v1/tasks/end', body: { task } })),
    holdMandate: async (chain) => {
      const answer = await call({ path: '/v1/mandates', body: { chain } });
      accepted(answer);
      return String(answer['task']);
    },
    send: async (message) => sentOf(await call({ path: '/v1/messages', body: message })),
    request: async (to, action, parameters, requestOptions) => {
      const body = { to, action, parameters, ...requestOptions };
      return actionResult(await call({ path: '/v1/requests', body }));
    },
    spawn: (template, spawnOptions) => spawnThrough(call, template, spawnOptions),
    workflows: {
      list: () => listWorkflows(call),
      change: (workflow, changeOptions) => changeWorkflowThrough(call, workflow, changeOptions),
    },
    endChildren: async (which) =>
      Number((await call({ path: '/v1/children/end', body: which }))['ended'] ?? 0),
    complete: async (request) => {
      const answer = await call({ path: '/v1/chat/completions', body: request });
      const refused = answer['error'] as { readonly code?: string } | undefined;
      if (refused !== undefined) throw new SidecarRefused(refused.code ?? 'REFUSED');
      return answer;
    },
    memory: memoryThrough(call),
    knowledge: knowledgeThrough(call),
    tools: {
      list: async () => listOf(await call({ path: '/v1/tools', body: null })),
      call: async (operation, args = {}, callOptions = {}) => {
        const [tool = '', ...rest] = operation.split('.');
        const body = { tool, operation: rest.join('.'), arguments: args, ...callOptions };
        const answer = await call({ path: '/v1/tools/call', body });
        return { ...sentOf(answer), result: answer['result'] ?? null } as ToolResult;
      },
    },
    messages: (signal) => messagesOf(call, fetched, signal),
    close,
  };
}

type Ask = (call: Call) => Promise<{ readonly [member: string]: unknown }>;

async function spawnThrough(
  call: Ask,
  template: string,
  { waitMs = 30_000, ...asked }: SpawnOptions,
): Promise<Spawned> {
  const untilMs = performance.now() + waitMs;
  for (;;) {
    const answer = await call({ path: '/v1/children', body: { template, ...asked } });
    const spawned: Spawned = {
      verdict: (answer['verdict'] ?? 'NO-GO') as Spawned['verdict'],
      code: (answer['code'] ?? null) as string | null,
      child: (answer['child'] ?? null) as string | null,
      endsAt: (answer['endsAt'] ?? null) as number | null,
    };
    if (spawned.verdict !== 'ESCALATE' || performance.now() >= untilMs) return spawned;
    await new Promise((resolve) => setTimeout(resolve, decisionPollMs));
  }
}

/** What the loop is through with is acknowledged with the next call, or when the loop is left. */
async function* messagesOf(
  call: Ask,
  fetched: Message[],
  signal?: AbortSignal,
): AsyncGenerator<Message> {
  let acknowledge: string[] = [];
  try {
    while (signal?.aborted !== true) {
      const message = fetched.shift();
      if (message !== undefined) {
        yield message;
        acknowledge.push(message.id);
        continue;
      }
      const messages = await takeMessages(call, acknowledge, signal);
      if (messages === null) continue;
      acknowledge = [];
      fetched.push(...messages);
    }
  } finally {
    if (acknowledge.length > 0) {
      await call({ path: '/v1/inbox/ack', body: { ids: acknowledge } });
    }
  }
}

/** Null when the sidecar could not be asked just now: it may be starting again. */
async function takeMessages(
  call: Ask,
  acknowledge: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Message[] | null> {
  const body = { waitMs: 20_000, max: 32, acknowledge };
  try {
    const asked = { path: '/v1/inbox', body, ...(signal === undefined ? {} : { signal }) };
    return ((await call(asked))['messages'] ?? []) as Message[];
  } catch (failure) {
    if (failure instanceof SidecarRefused || signal?.aborted === true) throw failure;
    await new Promise((resolve) => setTimeout(resolve, retryMs));
    return null;
  }
}

/** Throws `SidecarRefused` with the coarse code where the sidecar said no. */
function accepted(answer: { readonly [member: string]: unknown }): void {
  const { verdict, code } = answer;
  if (verdict === 'NO-GO') throw new SidecarRefused(typeof code === 'string' ? code : 'REFUSED');
}

function sentOf(answer: { readonly [member: string]: unknown }): Sent {
  const { standby } = answer;
  return {
    verdict: (answer['verdict'] ?? 'GO') as Sent['verdict'],
    code: (answer['code'] ?? null) as string | null,
    messageId: (answer['messageId'] ?? null) as string | null,
    task: (answer['task'] ?? null) as string | null,
    traceId: (answer['traceId'] ?? null) as string | null,
    ...(typeof standby === 'string' ? { standby } : {}),
  };
}

function actionResult(answer: { readonly [member: string]: unknown }): ActionResult {
  const sent = sentOf(answer);
  const outcome = answer['outcome'] as
    | { status: ActionResult['status']; code: string | null; result: unknown }
    | undefined;
  if (outcome === undefined) return { ...sent, status: null, result: null };
  const verdict = outcome.status === 'DONE' ? 'GO' : 'NO-GO';
  return { ...sent, verdict, code: outcome.code, status: outcome.status, result: outcome.result };
}

function listOf(answer: {
  readonly [member: string]: unknown;
}): readonly { readonly [member: string]: unknown }[] {
  const tools = answer['tools'];
  return Array.isArray(tools) ? tools : [];
}

/** The descriptor holds one line and is closed after it: no child of this process can read it. */
function inheritedToken(): string {
  const descriptor = process.env['MASO_TOKEN_FD'];
  if (descriptor === undefined) throw new Error('No token: run the agent with maso sidecar.');
  delete process.env['MASO_TOKEN_FD'];
  return readFileSync(Number(descriptor), 'utf8').trim();
}
