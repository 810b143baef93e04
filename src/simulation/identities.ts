// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { Authority, Credential } from '../identity/credential.ts';
import { credentialFromPem } from '../identity/credential-pem.ts';
import type { OperatorKey } from '../identity/operator-key.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { svidLifetimes } from '../mesh/credential-lifetime.ts';
import { parseSpiffeId } from '../identity/spiffe-id.ts';

/** Real keys and certificates, made once for any number of runs; no decision depends on their bytes. */
export type Identities = {
  readonly bundlePem: string;
  readonly node: Credential;
  /** One for each time that an agent comes back as a new instance. */
  readonly agents: ReadonlyMap<string, readonly Credential[]>;
  readonly operators: ReadonlyMap<string, OperatorKey>;
  /** The recorder's own. */
  readonly recorder: KeyObject;
};

export type KeyMaker = () => Promise<{ readonly privateKey: KeyObject; readonly csrPem: string }>;

const instances = ['one', 'two', 'three', 'four'];

export async function makeIdentities(
  mesh: Mesh,
  operators: ReadonlyMap<string, OperatorKey>,
  authority: Authority,
  newKey: KeyMaker,
): Promise<Identities> {
  const issue = async (spiffeId: string): Promise<Credential> => {
    const { privateKey, csrPem } = await newKey();
    const id = parseSpiffeId(spiffeId);
    if (id === null) throw new Error(`${spiffeId} is no SPIFFE id`);
    const { chainPem } = await authority.issue({ csrPem, spiffeId, lifetimeMs: svidLifetimes(mesh)(id) });
    return credentialFromPem(chainPem, privateKey);
  };
  const agents = new Map<string, readonly Credential[]>();
  for (const name of mesh.agents.keys()) {
    const ids = instances.map((instance) => `spiffe://${mesh.trustDomain}/agent/${name}/${instance}`);
    agents.set(name, await Promise.all(ids.map(issue)));
  }
  return {
    bundlePem: authority.bundlePem(),
    node: await issue(`spiffe://${mesh.trustDomain}/node/node`),
    agents,
    operators,
    recorder: (await newKey()).privateKey,
  };
}
