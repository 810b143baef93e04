// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';

type Stored = Pick<Mesh, 'knowledgeStore'>;

/**
 * What processes that the node starts inherit of its environment: never the variable with the password
 * of the store, whose keys and rows are the node's alone. A name that any version of the mesh gave it
 * stays withheld, also once another version is in force.
 */
export class ChildEnvironment {
  readonly #withheld = new Set<string>();
  #meshNow: () => Stored;

  /** `mesh` is the one in the file, until `follow` says which is in force. */
  constructor(mesh: Stored) {
    this.#meshNow = () => mesh;
    this.#note();
  }

  follow(meshNow: () => Stored): void {
    this.#meshNow = meshNow;
    this.#note();
  }

  variables(): NodeJS.ProcessEnv {
    this.#note();
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => !this.#withheld.has(name)));
  }

  #note(): void {
    const password = this.#meshNow().knowledgeStore?.password ?? null;
    if (password?.kind === 'env') this.#withheld.add(password.name);
  }
}
