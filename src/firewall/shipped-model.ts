// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: '865ef960feac840867f6388804ccd3d1651896c0c1bd00f5013b248ec32b3626',
} as const;
