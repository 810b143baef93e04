// SPDX-License-Identifier: Apache-2.0

/** The framework's ten signals with its weights, which add up to 1.10 there (OB-2.2). */
const framework = {
  'tool-usage': 0.15,
  'output-quality': 0.2,
  'response-latency': 0.05,
  'message-volume': 0.1,
  'error-rate': 0.1,
  'content-drift': 0.15,
  'cost-trajectory': 0.05,
  'temporal-profile': 0.1,
  'peer-deviation': 0.1,
  'context-utilisation': 0.1,
} as const;

export type Signal = keyof typeof framework;

export const signals: readonly Signal[] = [
  'tool-usage', 'output-quality', 'response-latency', 'message-volume', 'error-rate', 'content-drift',
  'cost-trajectory', 'temporal-profile', 'peer-deviation', 'context-utilisation',
];

const total = signals.reduce((sum, signal) => sum + framework[signal], 0);

/** Normalised, so that they add up to 1: a score is from 0 to 100 whatever the framework's sum. */
export const weights: { readonly [signal in Signal]: number } = normalised();

function normalised(): { readonly [signal in Signal]: number } {
  const found = { ...framework } as { [signal in Signal]: number };
  for (const signal of signals) found[signal] = framework[signal] / total;
  return found;
}

/** One thing that an agent did, as far as scores go by it: numbers and names, never a text. */
export type Observation = {
  readonly agent: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A tool that was called, by name; null for anything else. */
  readonly tool: string | null;
  readonly failed: boolean;
  /** Each null where it was not measured. Quality from 0 to 1, distance from 0 to 2. */
  readonly quality: number | null;
  readonly latencyMs: number | null;
  readonly contentDistance: number | null;
  readonly cost: number | null;
  /** Share of the context that is filled, 0 to 1. */
  readonly contextFill: number | null;
};

/** What an observation says where a test or a source measures only some of it. */
export function observed(agent: string, at: number, change: Partial<Observation> = {}): Observation {
  return {
    agent, at, tool: null, failed: false, quality: null, latencyMs: null, contentDistance: null, cost: null,
    contextFill: null, ...change,
  };
}
