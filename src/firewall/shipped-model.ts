// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: 'cf8340b147179547d4f783d5475ea1c69b9f6a4a7f44997c819ef0ab5ce25476',
} as const;
