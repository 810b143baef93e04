// SPDX-License-Identifier: Apache-2.0
import type { RecordedEntry } from './entry.ts';

/** What was said of one workflow in one task, newest last. */
export type WorkflowRun = {
  readonly workflow: string;
  readonly version: string;
  readonly task: string;
  /** True once its last phase has ended. */
  readonly ended: boolean;
  /** The worst that was said. */
  readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE';
  readonly phases: readonly {
    readonly phase: string;
    readonly outcome: 'GO' | 'NO-GO' | 'ESCALATE';
    readonly at: number;
    /** Codes, each with the criterion, the sum or the conflict that it is about. */
    readonly findings: readonly string[];
  }[];
};

const severity = { GO: 0, ESCALATE: 1, 'NO-GO': 2 } as const;
/** Of so many runs the newest are kept. */
const runsMax = 1000;

/** Strategic evaluations over entries in the order of the log (OI-2.2). */
export class WorkflowRuns {
  readonly #runs = new Map<string, WorkflowRun>();

  add({ kind, task, outcome, at, detail, code }: RecordedEntry): void {
    const isJudged = kind === 'judge.ruled' && detail['mode'] === 'phase';
    if ((kind !== 'workflow.evaluated' && !isJudged) || task === null || outcome === null) return;
    const { workflow, version, phase, end, findings } = detail;
    if (typeof workflow !== 'string' || typeof phase !== 'string') return;
    const key = `${workflow} ${task}`;
    const before = this.#runs.get(key);
    const worst = before !== undefined && severity[before.outcome] > severity[outcome] ? before.outcome : outcome;
    const said = isJudged ? ['judged', ...(code === null ? [] : [code])]
      : Array.isArray(findings) ? findings.map(String) : [];
    this.#runs.delete(key);
    this.#runs.set(key, {
      workflow, version: isJudged ? (before?.version ?? '') : String(version), task, outcome: worst,
      ended: before?.ended === true || end === true,
      phases: [...(before?.phases ?? []), { phase, outcome, at, findings: said }],
    });
    const [oldest] = this.#runs.size > runsMax ? this.#runs.keys() : [];
    if (oldest !== undefined) this.#runs.delete(oldest);
  }

  /** Newest last. */
  runs(): readonly WorkflowRun[] {
    return [...this.#runs.values()];
  }
}
