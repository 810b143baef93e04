// SPDX-License-Identifier: Apache-2.0
const charts = {
  12: { patient: 'Ada Example', record_number: 'MRN-0042', age: 72, comorbidities: ['diabetes'] },
};

/** The record system of the ward; it knows people by name. */
export const operations = {
  read: {
    description: 'Reads the chart of a bed.',
    inputSchema: { type: 'object', properties: { bed: { type: 'string' } } },
    run: ({ bed }) => charts[bed] ?? {},
  },
};
