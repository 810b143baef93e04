// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: '43889488a8c923e3cfaebecef2587d70bbc09e0015c064c61cea7ec21dc53b54',
} as const;
