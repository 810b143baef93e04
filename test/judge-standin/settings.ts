// SPDX-License-Identifier: Apache-2.0
import type { JudgeModelSettings, JudgeSettings } from '../../src/mesh/judge-settings.ts';

export function compatibleModel(
  name: string,
  url: string,
  change: Partial<JudgeModelSettings> = {},
): JudgeModelSettings {
  return {
    name, provider: { kind: 'openai_compatible', url, structured: 'json_schema' }, model: 'stand-in',
    family: name, credential: null,
    price: { perCall: 0, perMillionInput: 10, perMillionOutput: 50 }, outputTokensMax: 256, ...change,
  };
}

export function judgeSettings(
  models: readonly JudgeModelSettings[],
  change: Partial<JudgeSettings> = {},
): JudgeSettings {
  const [first] = models;
  return {
    models: new Map(models.map((model) => [model.name, model])),
    subjects: [{ subject: 'security', model: first?.name ?? '', backup: null, second: null, criteria: [] }],
    precedence: ['compliance', 'data_protection', 'security', 'fraud', 'intent'],
    release: 'never', holdTimeoutMs: 5000, callTimeoutMs: 4000, concurrency: 4, queueMax: 64,
    textMax: 4000, budget: { moneyPerHour: 1, moneyPerTask: 0.25, callsPerHour: 1000 },
    breaker: { failures: 5, openMs: 30_000 }, sampling: { low: 1, medium: 1, messages: 1 }, ...change,
  };
}
