// SPDX-License-Identifier: Apache-2.0
import { FirewallError } from '../firewall-error.ts';
import type { LabelledRow } from './labelled-row.ts';

/**
 * Puts what people confirmed into the rows of the next training. Each line of the feedback names a
 * row, `{"ref": ID, "label": "attack" | "benign"}`: a miss or a false positive of the last model. The
 * row gets that label and the source `feedback`, which weighs as much as any other source. Feedback
 * holds no text: what it names must be among the rows. Throws `FirewallError`
 * FIREWALL_ROWS_MALFORMED on a line that is no feedback or names nothing.
 */
export function applyFeedback(rows: readonly LabelledRow[], feedback: string): readonly LabelledRow[] {
  const confirmed = new Map<string, LabelledRow['label']>();
  const known = new Set(rows.map(({ id }) => id));
  feedback.split('\n').forEach((line, index) => {
    if (line.trim() === '') return;
    const { ref, label } = parsed(line, index + 1);
    if (!known.has(ref)) throw malformed(index + 1, '`ref` is the id of no row');
    confirmed.set(ref, label);
  });
  return rows.map((row) => {
    const label = confirmed.get(row.id);
    if (label === undefined) return row;
    const { span, ...rest } = row;
    const kept = span !== undefined && label === 'attack' ? { span } : {};
    return { ...rest, ...kept, label, source: 'feedback' };
  });
}

function parsed(line: string, number: number): { readonly ref: string; readonly label: LabelledRow['label'] } {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && 'ref' in value && 'label' in value) {
      const { ref, label } = value;
      if (typeof ref === 'string' && (label === 'attack' || label === 'benign')) return { ref, label };
    }
  } catch {
    // The parser's own message quotes the line.
  }
  throw malformed(number, 'it is no JSON object with `ref`, the id of a row, and `label`, attack or benign');
}

function malformed(number: number, why: string): FirewallError {
  return new FirewallError('FIREWALL_ROWS_MALFORMED', `Line ${number} of the feedback is none: ${why}.`);
}
