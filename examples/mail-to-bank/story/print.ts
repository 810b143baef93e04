// SPDX-License-Identifier: Apache-2.0
import type { DecisionTrace, TraceStep } from '../../../src/recorder/decision-trace.ts';
import type { Ready } from './mesh-process.ts';
import type { PlayedScenario, PlayedStory } from './play.ts';

const columns = 80;
const refused = new Set(['NO-GO', 'ESCALATE']);

/** What runs now, and everything that the mesh warned of. */
export function startLines(ready: Ready, warnings: readonly string[]): readonly string[] {
  const agents = ready.sidecars.map(({ agent, isolation }) => `${agent} (isolation: ${isolation})`);
  return [
    `Ready in ${ready.readyMs} ms on ${ready.bus}`,
    ...wrapped(`agents: ${agents.join(', ')}`, '  '),
    ...warnings.flatMap((warning) => wrapped(warning, '  ')),
  ];
}

/** One scenario: a line of outcome, and its decision trace in short. */
export function scenarioLines(
  number: number,
  played: PlayedScenario,
  trace: DecisionTrace | null,
): readonly string[] {
  const mark = played.asExpected ? 'ok  ' : 'FAIL';
  const [code = '', ...paths] = played.ending.split(' ');
  const lines = [
    '',
    `${mark} ${number}. ${played.title}`,
    ...wrapped([code, ...paths, ...played.also.map((one) => `+ ${one}`)].join(' '), '     => '),
  ];
  if (!played.asExpected) lines.push(...wrapped(`expected ${played.expected}`, '        '));
  if (trace === null) return [...lines, '        no trace: it never came near the mesh'];
  const { means, took_ms: tookMs, steps } = trace.maso;
  if (means !== null) lines.push(...wrapped(means, '        '));
  const shown = steps.filter(isShown);
  const quiet = steps.length - shown.length;
  const first = Math.min(...steps.map((step) => step.recorded_at));
  return [
    ...lines,
    ...shown.flatMap((step) => stepLines(step, first)),
    `        ${tookMs} ms, and ${quiet} quiet steps: maso trace ${trace.maso.query}`,
  ];
}

/** Admissions and deliveries without a finding are left to the whole trace. */
function isShown({ kind, outcome }: TraceStep): boolean {
  const routine = ['message.admitted', 'message.delivered', 'tool.intent', 'session.opened'];
  return refused.has(outcome ?? '') || !routine.includes(kind);
}

function stepLines(step: TraceStep, firstMs: number): readonly string[] {
  const at = `+${((step.recorded_at - firstMs) / 1000).toFixed(3)}`.padStart(9);
  const who = step.actor.slice(step.actor.indexOf(':') + 1).padEnd(13);
  const outcome = (step.outcome ?? '').padEnd(9);
  const lead = `${at} ${who}${outcome}`;
  const indent = ' '.repeat(lead.length);
  const [line = '', ...rest] = wrapped(`${step.kind} ${aboutOf(step)}`.trimEnd(), indent);
  const findings = step.verdicts.flatMap(({ findings: all }) =>
    all.map(({ code, path }) => (path ? `${code} ${path}` : code)),
  );
  const codes = findings.length > 0 ? findings : step.code === null ? [] : [step.code];
  const shown = refused.has(step.outcome ?? '') && step.kind !== 'message.outbound' ? codes : [];
  return [
    lead + line.trimStart(),
    ...rest,
    ...[...new Set(shown)].flatMap((code) => wrapped(code, ' '.repeat(lead.length + 2))),
  ];
}

function aboutOf({ kind, detail }: TraceStep): string {
  const text = (member: string): string => {
    const value = detail[member];
    return typeof value === 'string' ? value : '';
  };
  if (kind.startsWith('tool.')) return `${text('tool')}.${text('operation')}`;
  if (kind === 'indicator.raised') {
    return `${text('indicator')} ${text('agent')} ${text('connection')}${text('session')}`.trim();
  }
  if (kind === 'approval.decided') return `${text('decision')} by ${text('operator')}`;
  if (text('action') !== '') return `${text('action')}, ${text('risk')}`;
  return text('schema') === '' ? '' : `${text('schema')}${text('to') && ` to ${text('to')}`}`;
}

/** The table at the end, what the books and the recorder say, and how to look further. */
export function summaryLines(story: PlayedStory): readonly string[] {
  const width = Math.max(...story.scenarios.map(({ name }) => name.length));
  const codeOf = (ending: string): string => ending.split(' ')[0] ?? '';
  const row = (mark: string, name: string, expected: string, seen: string): string =>
    `${mark.padEnd(5)}${name.padEnd(width + 2)}${expected.padEnd(26)} ${seen}`.trimEnd();
  const paid = story.payments.map((one) => `${one.invoice} ${one.payee} ${one.amount.toFixed(2)}`);
  const seconds = (story.tookMs / 1000).toFixed(1);
  return [
    '',
    row('', 'scenario', 'expected', 'seen'),
    ...story.scenarios.map(({ asExpected, name, expected, ending }) =>
      row(asExpected ? 'ok' : 'FAIL', name, codeOf(expected), asExpected ? 'the same' : codeOf(ending)),
    ),
    '',
    ...wrapped(`paid: ${paid.length === 0 ? 'nothing' : paid.join('; ')}`, ''),
    `recorder: ${story.recorder.entries} entries, ` +
      (story.recorder.ok ? 'verified against the signed head' : 'DOES NOT VERIFY'),
    story.gaps.length === 0
      ? 'record: every message was admitted and received once, every tool call ended once'
      : `record: INCOMPLETE: ${story.gaps.join('; ')}`,
    ...wrapped(isolationText(story.isolation), ''),
    `${story.ok ? 'all as expected' : 'NOT AS EXPECTED'} in ${seconds} s, ` +
      `of which ${(story.readyMs / 1000).toFixed(1)} s to start the mesh`,
  ];
}

export function furtherLines(
  { bus, state, scenarios, console, waiting }: PlayedStory,
): readonly string[] {
  const trace = scenarios.find((one) => one.trace !== null)?.trace ?? 'ID';
  const maso = 'npm run -s maso --';
  return [
    '',
    ...(waiting === null ? [] : ['One payment waits for a person: for you.']),
    ...(console === null ? [] : [
      'The console shows it, and all of the above:',
      `  ${console.firstLink ?? console.url}`,
      '',
    ]),
    `The mesh goes on running on ${bus} until Ctrl-C.`,
    'To look further, in another terminal:',
    `  ${maso} trace ${trace} --state ${state}`,
    `  ${maso} approvals list --all --state ${state}`,
    `  ${maso} recorder verify --state ${state}`,
  ];
}

function isolationText(isolation: string): string {
  if (isolation === 'uid') {
    return 'isolation: uid. Every agent that the mesh started ran under a uid of its own.';
  }
  return (
    `isolation: ${isolation}. Agents shared a uid with their sidecars: what was shown holds ` +
    'against agents that are talked into something, not against ones that read the files of ' +
    'their sidecar. Start as root for separate uids.'
  );
}

function wrapped(text: string, lead: string): readonly string[] {
  const lines: string[] = [];
  let line = lead;
  for (const word of text.split(' ')) {
    if (line.length > lead.length && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = ' '.repeat(lead.length);
    }
    line += line.length > lead.length ? ` ${word}` : word;
  }
  return [...lines, line];
}
