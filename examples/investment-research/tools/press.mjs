// SPDX-License-Identifier: Apache-2.0
const inputSchema = { type: 'object', properties: { ticker: { type: 'string' } } };
let number = 0;

/** Where reports go out. What was published is on record; this one only numbers it. */
export const operations = {
  check: { description: 'Proof-reads a report.', inputSchema, run: () => ({ number: 0 }) },
  publish: { description: 'Publishes a report.', inputSchema, run: () => ({ number: ++number }) },
  note: { description: 'Publishes a note.', inputSchema, run: () => ({ number: ++number }) },
};
