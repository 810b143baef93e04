// SPDX-License-Identifier: Apache-2.0
import type { z } from 'zod';
import type { agentModelShape, AgentModelSettings } from './agent-model.ts';
import type { Loading } from './loading.ts';
import { isSecureUrl } from './secure-url.ts';
import type { Path } from './yaml-source.ts';

/** The key `model` of an agent; null where it has none. */
export function resolveAgentModel(
  loading: Loading,
  given: z.output<typeof agentModelShape> | undefined,
  path: Path,
): AgentModelSettings | null {
  if (given === undefined) return null;
  const { credential_file: file, credential_env: env, price: prices, budget } = given;
  if (!isSecureUrl(given.url)) loading.report('MESH_JUDGE_URL_INSECURE', [...path, 'url']);
  if (file !== undefined && env !== undefined) loading.reportKey('MESH_JUDGE_CREDENTIAL', path);
  const named = env === undefined ? null : ({ kind: 'env', name: env } as const);
  return {
    url: given.url,
    name: given.name,
    credential: file === undefined ? named : { kind: 'file', path: loading.absolute(file) },
    clearance: given.clearance,
    price: {
      perCall: prices.per_call,
      perMillionInput: prices.per_million_input,
      perMillionOutput: prices.per_million_output,
    },
    contextTokens: given.context_tokens ?? null,
    outputTokensMax: given.output_tokens_max,
    timeoutMs: given.timeout_ms,
    budget: {
      moneyPerHour: budget.money_per_hour,
      moneyPerTask: budget.money_per_task,
      callsPerHour: budget.calls_per_hour,
      tokensPerHour: budget.tokens_per_hour,
      tokensPerTask: budget.tokens_per_task,
    },
  };
}
