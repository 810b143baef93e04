// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import { isJsonObject } from '../message/json.ts';
import type { DecisionTrace, TraceStep, TraceVerdict } from './decision-trace.ts';

export type TraceTextOptions = {
  /** Width of the terminal; at least 60 are used. */
  readonly columns: number;
  readonly colour: boolean;
};

type Paint = (text: string, colour: keyof typeof escapes) => string;

const escapes = { red: 31, green: 32, yellow: 33, bold: 1, dim: 2 } as const;
const labelWidth = 12;
const stepIndent = 11;
const detailLengthMax = 240;
const findingsShownMax = 5;

/** The trace as text for a terminal, in lines no wider than asked for. */
export function renderDecisionTrace(trace: DecisionTrace, options: TraceTextOptions): string {
  const columns = Math.max(60, Math.floor(options.columns) || 80);
  const paint: Paint = (text, colour) =>
    options.colour ? `\u001B[${escapes[colour]}m${text}\u001B[0m` : text;
  const start = Math.min(...trace.maso.steps.map(({ recorded_at: at }) => at));
  const lines = [
    paint(`DECISION TRACE ${printable(trace.trace_id)}`, 'bold'),
    '',
    ...summary(trace, columns, paint),
    '',
    paint('STEPS', 'bold'),
    ...trace.maso.steps.flatMap((step) => stepLines(step, start, columns, paint)),
  ];
  if (trace.maso.cut_off) lines.push('', '  The task has more entries than are shown here.');
  return `${lines.join('\n')}\n`;
}

function summary(trace: DecisionTrace, columns: number, paint: Paint): readonly string[] {
  const { maso, resolution, subject } = trace;
  const { risk_classification: risk } = subject;
  const row = (label: string, text: string) => wrap(text, columns, `  ${label}`.padEnd(labelWidth));
  const ended = `${resolution.outcome}${maso.code === null ? '' : `  ${maso.code}`}`;
  const [first = '', ...rest] = row('outcome', ended);
  return [
    first.replace(resolution.outcome, paint(resolution.outcome, outcomeColour(resolution.outcome))),
    ...rest,
    ...(maso.means === null ? [] : row('why', maso.means)),
    ...(maso.mend === null ? [] : row('mend', maso.mend)),
    ...row('what', `${subject.description ?? 'no action'}, risk ${risk ?? 'not classified'}`),
    ...row('who', [...new Set(maso.steps.map(({ actor }) => actor))].join(', ')),
    ...row('when', `${trace.timestamp}, ${duration(maso.took_ms * 1000)} to the last entry`),
    ...row('people', peopleText(trace)),
    ...row('isolation', isolationText(maso.isolation)),
    ...maso.mandates.flatMap(({ id, delegation }) =>
      row('mandate', `${delegation.join(' -> ')}  ${id.slice(0, 12)}`)),
    ...row('cost', costText(trace)),
    ...row('record', recordText(maso.steps)),
  ];
}

function stepLines(
  step: TraceStep,
  start: number,
  columns: number,
  paint: Paint,
): readonly string[] {
  const indent = ' '.repeat(stepIndent);
  const offset = `+${((step.recorded_at - start) / 1000).toFixed(3)} s`.padStart(stepIndent - 1);
  const took = step.took_us === null ? '' : `  ${duration(step.took_us)}`;
  const outcome = step.outcome === null ? '' : `  ${step.outcome}`;
  const head = wrap(`${step.kind}  ${step.actor}${outcome}${took}`, columns, `${offset} `);
  const lines = step.outcome === null ? head : head.map((line) => paintOutcome(line, paint));
  const detail = detailText(step.detail);
  const findings = step.verdicts.flatMap((verdict) => verdict.findings);
  const explained = findings.some(({ code }) => code === step.code);
  const entry = wrap(`entry ${step.sequence}  ${step.id}`, columns, indent);
  return [
    '',
    ...lines,
    ...(detail === '' ? [] : wrap(detail, columns, indent).map((line) => paint(line, 'dim'))),
    ...step.verdicts.flatMap((verdict) => verdictLines(verdict, columns, paint)),
    ...(step.code === null || explained ? [] : codeLines(step.code, step.means, columns)),
    ...entry.map((line) => paint(line, 'dim')),
  ];
}

function verdictLines(verdict: TraceVerdict, columns: number, paint: Paint): readonly string[] {
  const { outcome, control, version, took_us: tookUs, findings } = verdict;
  const indent = ' '.repeat(stepIndent);
  const head = wrap(`${outcome}  ${control} ${version}  ${duration(tookUs)}`, columns, indent);
  const shown = findings.slice(0, findingsShownMax).flatMap(({ code, rule, path, means }) => {
    const where = path === null ? '' : ` at ${path === '' ? 'the whole payload' : path}`;
    const lines = wrap(`${code} by rule ${rule}${where}`, columns, `${indent}  `);
    return [...lines, ...meansLines(means, columns)];
  });
  const more = findings.length - findingsShownMax;
  if (more > 0) shown.push(`${indent}  and ${more} more`);
  return [...head.map((line) => paintOutcome(line, paint)), ...shown];
}

function codeLines(code: string, means: string | null, columns: number): readonly string[] {
  return [...wrap(code, columns, ' '.repeat(stepIndent)), ...meansLines(means, columns)];
}

function meansLines(means: string | null, columns: number): readonly string[] {
  return means === null ? [] : wrap(means, columns, ' '.repeat(stepIndent + 4));
}

function peopleText(trace: DecisionTrace): string {
  const { people } = trace.maso;
  const { human_decision: decision, human_reasoning: reason } = trace.resolution;
  if (people.length === 0) {
    const asked = trace.regulatory_mapping.human_oversight_documented;
    return asked ? 'waiting for a decision' : 'none asked';
  }
  const said = reason === null ? '' : `, "${reason}"`;
  return `${people.join(', ')}: ${decision ?? 'undecided'}${said}`;
}

function isolationText(isolation: { readonly [who: string]: string }): string {
  const parts = Object.entries(isolation).map(([who, kept]) => {
    return kept === 'none' ? `${who} none (guarantees do not hold for it)` : `${who} ${kept}`;
  });
  return parts.length === 0 ? 'not recorded' : parts.join(', ');
}

function costText(trace: DecisionTrace): string {
  const { tokens, model_calls: calls, controls_us: controlsUs, controls } = trace.maso.cost;
  const none = calls === 0 && tokens === 0;
  const model = none ? 'no model called, 0 tokens' : `${calls} model calls, ${tokens} tokens`;
  const rows = controls.map((row) => `${row.control} ${duration(row.took_us)} in ${row.verdicts}`);
  const each = rows.length === 0 ? '' : `: ${rows.join(', ')}`;
  return `${model}; controls ${duration(controlsUs)}${each}`;
}

function recordText(steps: readonly TraceStep[]): string {
  const sequences = steps.map(({ sequence }) => sequence);
  return `${steps.length} entries, from ${Math.min(...sequences)} to ${Math.max(...sequences)}`;
}

/** Scalars of the detail, nested ones by their path; whatever is longer is cut off visibly. */
function detailText(detail: JsonObject): string {
  const parts: string[] = [];
  // Its number among its writer's entries is for the verifier.
  const { writer: _writer, ...shown } = detail;
  collect(shown, '', parts);
  const text = parts.join(', ');
  return text.length <= detailLengthMax ? text : `${text.slice(0, detailLengthMax)}…`;
}

function collect(value: JsonObject, path: string, parts: string[]): void {
  for (const [key, member] of Object.entries(value)) {
    if (parts.length > 64) return;
    if (isJsonObject(member)) collect(member, `${path}${key}.`, parts);
    else parts.push(`${path}${key} ${[member].flat().map(String).join(' ')}`);
  }
}

function duration(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`;
  return us < 1_000_000 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1_000_000).toFixed(2)} s`;
}

function outcomeColour(outcome: DecisionTrace['resolution']['outcome']): keyof typeof escapes {
  if (outcome === 'DONE') return 'green';
  return outcome === 'OPEN' || outcome === 'HELD' ? 'yellow' : 'red';
}

function paintOutcome(line: string, paint: Paint): string {
  return line
    .replace(/(?<=^ +|  )NO-GO(?=  |$)/, (text) => paint(text, 'red'))
    .replace(/(?<=^ +|  )GO(?=  |$)/, (text) => paint(text, 'green'))
    .replace(/(?<=^ +|  )ESCALATE(?=  |$)/, (text) => paint(text, 'yellow'));
}

/**
 * Words in lines, the first after `lead` and the others below its end. Words wider than a line are
 * broken. Everything in an entry was written by somebody, so nothing of it reaches the terminal
 * that could move the cursor or turn the text around.
 */
function wrap(text: string, columns: number, lead: string): readonly string[] {
  const width = columns - lead.length;
  const lines: string[] = [];
  let line = '';
  for (const word of printable(text).split(/ (?! )/)) {
    let rest = word;
    if (line !== '' && line.length + 1 + rest.length > width) {
      lines.push(line.trimEnd());
      line = '';
    }
    while (rest.length > width) {
      lines.push(rest.slice(0, width));
      rest = rest.slice(width);
    }
    line = line === '' ? rest.trimStart() : `${line} ${rest}`;
  }
  lines.push(line.trimEnd());
  return lines.map((part, index) => (index === 0 ? lead : ' '.repeat(lead.length)) + part);
}

function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '�');
}
