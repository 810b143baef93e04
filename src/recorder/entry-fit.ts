// SPDX-License-Identifier: Apache-2.0
import type { Finding, Verdict } from '../review/verdict.ts';
import type { EntryDraft } from './entry.ts';

/** Well below what the shape of an entry allows, so that 64 of them still make a small frame. */
const findingsMax = 48;
const pathLengthMax = 256;
const textLengthMax = 128;
const causesMax = 64;

/**
 * The draft within the bounds of an entry. Findings tell where in a payload something stood, and the
 * payload is the attacker's: one that is nested deeply enough must not make an entry that no recorder
 * takes, and so a message that cannot be refused, or a spool that cannot be emptied. Findings that
 * lead come first and are kept; a path is cut where it gets too long.
 */
export function fitEntry(draft: EntryDraft): EntryDraft {
  if (draft.causedBy.length <= causesMax && draft.verdicts.every(fits) && !isCrowded(draft.verdicts)) {
    return draft;
  }
  let room = findingsMax;
  const verdicts = draft.verdicts.map((verdict): Verdict => {
    const findings = verdict.findings.slice(0, Math.max(1, room)).map(fitFinding);
    room -= findings.length;
    return { ...verdict, version: cut(verdict.version), findings };
  });
  return { ...draft, causedBy: draft.causedBy.slice(-causesMax), verdicts: verdicts.slice(0, 16) };
}

function isCrowded(verdicts: readonly Verdict[]): boolean {
  let findings = 0;
  for (const verdict of verdicts) findings += verdict.findings.length;
  return findings > findingsMax || verdicts.length > 16;
}

function fits({ version, findings }: Verdict): boolean {
  return (
    version.length <= textLengthMax &&
    findings.every(
      ({ code, rule, path }) =>
        code.length <= textLengthMax &&
        rule.length <= textLengthMax &&
        (path === null || path.length <= pathLengthMax),
    )
  );
}

function fitFinding(found: Finding): Finding {
  const { path } = found;
  const short = path === null || path.length <= pathLengthMax ? path : cutPath(path);
  return { ...found, code: cut(found.code), rule: cut(found.rule), path: short };
}

/** Whole segments only, and a last one that says that there were more. */
function cutPath(path: string): string {
  const end = path.lastIndexOf('/', pathLengthMax - 2);
  return `${path.slice(0, Math.max(0, end))}/*`;
}

function cut(text: string): string {
  return text.length <= textLengthMax ? text : text.slice(0, textLengthMax).toWellFormed();
}
