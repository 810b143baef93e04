// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OperatorKey } from '../../src/identity/operator-key.ts';
import { signPolicy, type PolicyStatement } from '../../src/identity/policy-statement.ts';
import { readMesh } from '../../src/adapters/mesh-files.ts';
import type { JsonObject } from '../../src/message/json.ts';
import { maso, type MeshFolder } from './running-mesh.ts';

/** Writes an operator's private key as it would lie on their own machine. */
export async function keyFile(folder: MeshFolder, name: string, key: OperatorKey): Promise<string> {
  const file = join(folder.directory, `${name}.jwk`);
  const jwk = key.privateKey.export({ format: 'jwk' });
  await writeFile(file, JSON.stringify(jwk), { mode: 0o600 });
  return file;
}

/** Changes the text of a file of the mesh, on disk only. */
export async function edit(
  folder: MeshFolder,
  from: string | RegExp,
  to: string,
  file = 'security_mesh.yaml',
): Promise<void> {
  const path = join(folder.directory, file);
  const text = readFileSync(path, 'utf8');
  const changed = text.replace(from, to);
  if (changed === text) throw new Error(`Nothing to change: ${String(from)}`);
  await writeFile(path, changed);
}

export type Reloaded = { readonly status: number | null; readonly body: JsonObject };

/** `maso reload` as an operator's command line. */
export async function reload(
  folder: MeshFolder,
  operator: string,
  key: string,
  options: readonly string[] = [],
): Promise<Reloaded> {
  const { status, out } = await maso([
    'reload', folder.meshFile, '--state', folder.state, '--as', operator, '--key', key, '--json',
    ...options,
  ]);
  const [line = '{}'] = out.trim().split('\n');
  return { status, body: JSON.parse(line) as JsonObject };
}

export type Policy = {
  readonly version: number;
  readonly next: number;
  readonly digest: string;
  readonly signed: string | null;
  readonly agents: readonly { readonly agent: string; readonly version: number | null }[];
};

export async function policyOf(folder: MeshFolder): Promise<Policy> {
  return (await folder.control('GET', '/v1/policy')).body as unknown as Policy;
}

/** The files on disk and a statement over them, for a forger to change. */
export async function signedChange(
  folder: MeshFolder,
  key: OperatorKey,
  change: Partial<PolicyStatement> = {},
): Promise<{ readonly signed: string; readonly bundle: JsonObject; readonly digest: string }> {
  const loaded = readMesh(folder.meshFile);
  if (!loaded.ok) throw new Error('The mesh file is broken.');
  const { digest, bundle } = loaded.mesh;
  const now = await policyOf(folder);
  const statement: PolicyStatement = {
    id: '01K74F0Z00ABCDEFGHJKMNPQRS',
    version: now.next,
    digest,
    previous: now.digest,
    effective: 'now',
    operator: 'alice',
    at: Date.now(),
    reason: '',
    ...change,
  };
  const texts = { ...bundle?.texts };
  return { signed: signPolicy(statement, key), bundle: { file: bundle?.file ?? '', texts }, digest };
}

/** Sends a statement past the command line, as somebody at the node's socket would. */
export async function offer(
  folder: MeshFolder,
  signed: string,
  bundle: JsonObject,
): Promise<{ readonly status: number; readonly code: unknown }> {
  const { status, body } = await folder.control('POST', '/v1/policies', { signed, bundle });
  return { status, code: body['code'] ?? null };
}
