// SPDX-License-Identifier: Apache-2.0

/** The model that comes with the package; `maso firewall train` prints what to write here. */
export const shippedModel = {
  /** Beside the compiled source: `models/` of the package. */
  file: 'injection.model',
  sha256: 'd103269801c449c5c8f17f848b716ee164014dc906872db692e5b04e98725a3d',
} as const;
