// SPDX-License-Identifier: Apache-2.0
import { verifierCodes } from './codes.ts';
import type { VerifyReport } from './verify.ts';

const findingsShown = 20;

/** The report for people: what is wrong, the first bad entry first, and what is proven. */
export function describeReport(report: VerifyReport): readonly string[] {
  const lines = report.findings.slice(0, findingsShown).map(({ code, sequence, level }) => {
    const word = level === 'error' ? 'FAULT' : 'note ';
    return `${word} entry ${sequence}: ${code}  ${verifierCodes[code].means}`;
  });
  const hidden = report.findingsTotal - lines.length;
  if (hidden > 0) lines.push(`... and ${hidden} more (--json shows all that were kept)`);
  for (const { witness, size, atSeconds } of report.cosigned) {
    lines.push(`${witness} cosigned ${size} entries at ${new Date(atSeconds * 1000).toISOString()}.`);
  }
  for (const { sequence, operator, entries, reason } of report.prunedUnder) {
    lines.push(`Entry ${sequence} records that ${operator} pruned ${entries} entries: ${reason}`);
  }
  if (report.pruned > 0) {
    lines.push(`${report.pruned} entries are pruned: their hashes stand in the tree, their content is gone.`);
  }
  lines.push(
    report.ok
      ? `The log verifies: ${report.entries} entries, ${report.covered} of them under a signed checkpoint.`
      : `The log does NOT verify: ${report.findingsTotal} finding(s) in ${report.entries} entries.`,
  );
  return lines;
}
