// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: 'a743b71492c6e9b53689a5c78a32f416b83ab2422c55ba339cd9311f2974102b',
} as const;
