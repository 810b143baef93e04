// SPDX-License-Identifier: Apache-2.0
const object = { type: 'object', properties: { ticker: { type: 'string' } }, required: ['ticker'] };

/** Figures of made-up companies. SOLO has filed none: only a newspaper knows its revenue. */
const filings = {
  NORD: { revenue: 120, growth: 4 }, HYPE: { revenue: 80, growth: 40 }, RUMR: { revenue: 75, growth: 44 },
  DEAL: { revenue: 60, growth: 5 }, SKIP: { revenue: 90, growth: 5 }, WEAK: { revenue: 30, growth: 5 },
  TWIN: { revenue: 50, growth: 5 }, MIXD: { revenue: 70, growth: 5 }, HAST: { revenue: 85, growth: 5 },
  SPIN: { revenue: 95, growth: 5 },
};

export const operations = {
  filing: {
    description: 'Revenue and growth as a company filed them, or null.',
    inputSchema: object,
    run: ({ ticker }) => ({ figures: filings[ticker] ?? null }),
  },
  press: {
    description: 'Revenue and growth as a newspaper has them.',
    inputSchema: object,
    run: ({ ticker }) => ({ figures: filings[ticker] ?? { revenue: 210, growth: 5 } }),
  },
};
