// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: '43000f337b2a65536c7d8e42b2b56ad35eef673c6aba76d03b7404ba0d3e6c43',
} as const;
