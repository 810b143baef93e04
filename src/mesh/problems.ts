// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';
import type { MeshCode } from './codes.ts';
import { diagnostic, type Diagnostic, type Position, type Severity } from './diagnostic.ts';
import type { Mesh } from './mesh.ts';
import type { Path } from './yaml-source.ts';

/** A resolved mesh and where its parts were written. */
export type Placed = {
  readonly mesh: Mesh;
  /** Where each edge of `mesh.edges` stands. */
  readonly edgePaths: readonly Path[];
  readonly domainPath: (name: string) => Path;
  readonly at: (path: Path) => Position;
  readonly atKey: (path: Path) => Position;
  readonly inSchema: (schema: JsonObject, pointer: Path) => Position;
  /** In the agent's OISpec; null when it has none. */
  readonly inOISpec: (agent: string, path: Path) => Position | null;
};

/** Collects problems with their positions. */
export class Problems {
  readonly found: Diagnostic[] = [];
  readonly placed: Placed;

  constructor(placed: Placed) {
    this.placed = placed;
  }

  at(code: MeshCode, severity: Severity, path: Path, message?: string): void {
    this.found.push(diagnostic(code, severity, this.placed.at(path), message));
  }

  atKey(code: MeshCode, severity: Severity, path: Path, message?: string): void {
    this.found.push(diagnostic(code, severity, this.placed.atKey(path), message));
  }

  /** In the specification of an agent or a workflow; at the top of the mesh file where there is none. */
  inOISpec(code: MeshCode, owner: string, path: Path, message: string): void {
    const place = this.placed.inOISpec(owner, path) ?? this.placed.at(['security_mesh']);
    this.found.push(diagnostic(code, 'error', place, message));
  }

  inSchema(code: MeshCode, schema: JsonObject, pointer: Path, message: string): void {
    this.found.push(diagnostic(code, 'error', this.placed.inSchema(schema, pointer), message));
  }
}
