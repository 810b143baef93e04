// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is unusual in what agents do, as the node computes it from what it records. */
export const anomalyCodes = {
  ANOMALY_SCORE: {
    means: 'An agent behaves unlike itself or its peers; its score is 40 or more. The signals that made it stand with it.',
    mend: 'Look at the signals and what each is held against. At 60 PACE isolates the agent, at 80 it contains it.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_DRIFT: {
    means: 'What an agent costs, how good its output is or what its texts are made of drifts slowly, week by week, by itself, beside its peers or with its whole role. How far it has come by now stands with it.',
    mend: 'See whether the work changed. It is a warning and moves nothing: now and then chance alone looks like it. It is told once, and again after 13 weeks.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_CONTEXT: {
    means: 'The context of an agent\'s model is filled to 70 percent or more.',
    mend: 'Let the agent begin a new task, or give its model a larger context. At 85 percent PACE isolates it, at 95 it contains it.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_LOOP: {
    means: 'Agents hand one task round in a circle, again and again, and nothing comes of it.',
    mend: 'End the task, then look at what each of them waits for. The agent that closed the circle is isolated.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_OSCILLATION: {
    means: 'The decision on one action of one task went back and forth three times.',
    mend: 'Look at the decision traces of the action: something that decides is pulled both ways.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_EDGE: {
    means: 'An agent speaks to one that it did not speak to for a week.',
    mend: 'See whether its work changed; the number of agents that it reaches stands with the finding.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_HUB: {
    means: 'An agent speaks to many more agents than it usually does within an hour.',
    mend: 'See whether its work changed, or whether it spreads something.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_VOLUME: {
    means: 'One agent hands another one three times as much in an hour as in the fullest hour of the last two weeks.',
    mend: 'See whether its work changed, or whether something makes it repeat itself.',
    agentSees: 'UNAVAILABLE',
  },
  ANOMALY_BUDGET: {
    means: 'What an agent spends on its model, in money or in tokens, passed a mark of its budget: 50, 75, 90 or 95 percent.',
    mend: 'See what the task costs (`maso ledger`). At 100 percent its sidecar refuses the call.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type AnomalyCode = keyof typeof anomalyCodes;
