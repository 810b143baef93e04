// SPDX-License-Identifier: Apache-2.0
import type { Mesh } from '../mesh/mesh.ts';
import type { CedarPolicies } from '../policy/cedar.ts';
import type { SchemaRegistry } from '../scanner/schema-registry.ts';
import type { Observed } from './observed.ts';
import type { Identities } from './identities.ts';
import type { Network } from './network.ts';
import type { Weakening } from './weaken.ts';
import type { World } from './world.ts';

/** What everybody in one simulated run stands on. */
export type Ground = {
  readonly world: World;
  readonly mesh: Mesh;
  readonly cedar: CedarPolicies | null;
  readonly schemas: SchemaRegistry;
  readonly identities: Identities;
  readonly network: Network;
  readonly observed: Observed;
  readonly weaken: Weakening;
  readonly report: (who: string, failure: unknown) => void;
};
