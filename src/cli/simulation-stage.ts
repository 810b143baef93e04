// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openBuiltinAuthority } from '../adapters/authority-builtin.ts';
import { newKey } from '../adapters/credential-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { readOperatorKey, type OperatorKey } from '../identity/operator-key.ts';
import { isJsonObject, type JsonObject } from '../message/json.ts';
import { CedarPolicies } from '../policy/cedar.ts';
import { createSchemaRegistry } from '../scanner/schema-registry.ts';
import { makeIdentities } from '../simulation/identities.ts';
import { simulatedMesh } from '../simulation/simulated-mesh.ts';
import type { Stage } from '../simulation/simulate.ts';
import { beginMs } from '../simulation/world.ts';

/** Keys, certificates and rules for any number of simulated runs; the authority's directory is removed again. */
export async function makeStage(): Promise<Stage> {
  const operators = new Map(['alice', 'bob'].map((name) => [name, freshOperator()]));
  const named: { [name: string]: JsonObject } = {};
  for (const [name, { publicJwk }] of operators) named[name] = publicJwk;
  const mesh = simulatedMesh(named);
  const directory = mkdtempSync(join(tmpdir(), 'maso-simulation-'));
  try {
    const authority = await openBuiltinAuthority({
      directory: join(directory, 'authority'),
      trustDomain: mesh.trustDomain,
      kms: { wrap: async (plain) => plain, unwrap: async (wrapped) => wrapped },
      clock: { nowMs: () => beginMs },
      random: systemRandom,
    });
    const identities = await makeIdentities(mesh, operators, authority, newKey);
    const schemas = createSchemaRegistry(mesh.schemas.values());
    return { mesh, identities, schemas, cedar: await CedarPolicies.load(mesh), settle };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** One turn of the event loop: promises that can go on have gone on by then. */
function settle(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function freshOperator(): OperatorKey {
  const jwk: unknown = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' });
  return readOperatorKey(isJsonObject(jwk) ? { ...jwk } : {});
}
