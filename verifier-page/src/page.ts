// SPDX-License-Identifier: Apache-2.0
// The verifier in a page of a browser. Everything that it shows is text, never markup: a log is
// written by whoever is being looked at.
import { parseVerifierKey } from '../../src/verifier/checkpoint.ts';
import type { VerifierKey } from '../../src/verifier/checkpoint.ts';
import { verifierCodes, VerifierError } from '../../src/verifier/codes.ts';
import { filesSource } from '../../src/verifier/files.ts';
import type { LogFile } from '../../src/verifier/files.ts';
import { describeReport } from '../../src/verifier/report-text.ts';
import { tiledSource } from '../../src/verifier/source.ts';
import type { LogSource } from '../../src/verifier/source.ts';
import { verifyLog } from '../../src/verifier/verify.ts';

const form = element('form', HTMLFormElement);
const output = element('report', HTMLOutputElement);
const button = element('verify', HTMLButtonElement);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  button.disabled = true;
  show('reading', 'working');
  verify().then(
    ({ lines, ok }) => show(lines.join('\n'), ok ? 'good' : 'bad'),
    (failure: unknown) => show(describe(failure), 'bad'),
  ).finally(() => {
    button.disabled = false;
  });
});

async function verify(): Promise<{ readonly lines: readonly string[]; readonly ok: boolean }> {
  const log = keyOf(element('key', HTMLInputElement).value, 'log');
  const witnesses = element('witnesses', HTMLTextAreaElement).value.split('\n')
    .filter((line) => line.trim() !== '').map((line) => keyOf(line, 'witness'));
  const kept = [...(element('checkpoints', HTMLInputElement).files ?? [])];
  const checkpoints = await Promise.all(kept.map((file) => file.text()));
  const report = await verifyLog({
    source: await sourceOf(),
    log,
    witnesses,
    checkpoints,
    progress: (entries) => show(`${entries} entries read`, 'working'),
  });
  return { lines: describeReport(report), ok: report.ok };
}

async function sourceOf(): Promise<LogSource> {
  const address = element('address', HTMLInputElement).value.trim().replace(/\/+$/, '');
  const files = [...(element('files', HTMLInputElement).files ?? [])];
  if (files.length > 0) {
    return filesSource(new Map(files.map((file) => [pathIn(file), logFile(file)])));
  }
  if (address === '') {
    throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'Choose a directory or give an address.');
  }
  return tiledSource(async (path) => {
    const answer = await fetch(`${address}/${path}`, { credentials: 'omit' });
    if (answer.status === 404) return null;
    if (answer.ok) return new Uint8Array(await answer.arrayBuffer());
    throw new VerifierError('VERIFY_SOURCE_UNREADABLE', 'The log gives no usable answer.');
  });
}

/** The path in the chosen directory, without its own name. */
function pathIn(file: File): string {
  return file.webkitRelativePath.split('/').slice(1).join('/') || file.name;
}

function logFile(file: File): LogFile {
  return {
    read: async (from, to) => new Uint8Array(await file.slice(from, to).arrayBuffer()),
  };
}

function keyOf(text: string, use: VerifierKey['use']): VerifierKey {
  const key = parseVerifierKey(text);
  if (key?.use === use) return key;
  throw new VerifierError('VERIFY_SOURCE_UNREADABLE', `That is no verifier key of a ${use}.`);
}

function describe(failure: unknown): string {
  if (!(failure instanceof VerifierError)) return 'The log cannot be read in this browser.';
  const { means, mend } = verifierCodes[failure.code];
  return `${failure.code}: ${failure.message} ${means} ${mend}`;
}

function show(text: string, state: 'working' | 'good' | 'bad'): void {
  output.textContent = text;
  output.dataset['state'] = state;
}

function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`The page has no ${id}.`);
}
