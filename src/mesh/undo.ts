// SPDX-License-Identifier: Apache-2.0

/** The action that undoes another one in an emergency, and where each of its parameters comes from. */
export type UndoManifest = {
  readonly action: string;
  /** Parameter -> `request.NAME` or `result.NAME` of the call that is undone. */
  readonly parameters: ReadonlyMap<string, string>;
};
