// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: '27b5ef712c8fccf3c0f5972c5d30bb150488b1e3aaa2ef5f762ec8a287921a13',
} as const;
