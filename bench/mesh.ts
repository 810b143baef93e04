// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinMesh, type MeshAgent } from '../src/sdk/join-mesh.ts';

/** A mesh of three processes under measurement: bus node, sidecar of `a`, sidecar of `b`. */
export type BenchMesh = {
  readonly pids: { readonly node: number; readonly a: number; readonly b: number };
  /** From starting the first process until every sidecar serves its agent. */
  readonly startMs: number;
  readonly join: (agent: 'a' | 'b') => Promise<MeshAgent>;
  readonly stop: () => Promise<void>;
};

type Ready = {
  readonly kind: string;
  readonly sidecars: readonly {
    readonly agent: string;
    readonly pid: number;
    readonly address: string;
    readonly tokenFile: string;
  }[];
};

/** The figures of one hop are without a model; `model` says otherwise. `sealed` are RETRIEVAL domains. */
const meshFile = (
  model: 'none' | 'compact', forensic: boolean, sealed: readonly string[],
): string => `security_mesh:
  global: { autonomy_tier: 2, audit_scope: FULL_MESH, development: true }
  limits: { messages_per_second: 100000, message_burst: 100000, queued_messages_max: 100000 }
  firewall: { model: ${model} }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [RETRIEVER, ANALYST], audit_level: FULL_MESH }
${sealed.map((name) => `    - { name: ${name}, tier: RETRIEVAL, allowed_roles: [RETRIEVER, ANALYST], audit_level: FULL_MESH }`).join('\n')}
  zones: { core: { clearance: confidential } }
  agents:
    a: { role: RETRIEVER, zone: core }
    b: { role: ANALYST, zone: core }
  edges:
    - { from: a, to: b, domain: work, schemas: [note/1] }
${sealed.map((name) => `    - { from: a, to: b, domain: ${name}, schemas: [note/1] }`).join('\n')}
  schemas:
    note/1:
      type: data
      schema:
        type: object
        required: [number, text]
        additionalProperties: false
        properties: { number: { type: integer }, text: { type: string, maxLength: 70000 } }
${forensic ? `  recorder: { forensic: { custodians: ${custodians()}, threshold: 2 } }\n` : ''}`;

/** Two of three may open what is kept; here nobody will. */
function custodians(): string {
  return JSON.stringify(['one', 'two', 'three'].map((name) => ({
    name, key: generateKeyPairSync('x25519').publicKey.export({ format: 'jwk' }).x,
  })));
}

/** Starts the mesh with everything on. `profile` names a folder for CPU profiles of all three. */
export async function startBenchMesh(
  profile: string | null,
  model: 'none' | 'compact' = 'none',
  forensic = false,
  sealed: readonly string[] = [],
): Promise<BenchMesh> {
  const directory = mkdtempSync(join(tmpdir(), 'maso-bench-'));
  const file = join(directory, 'security_mesh.yaml');
  writeFileSync(file, meshFile(model, forensic, sealed));
  if (profile !== null) mkdirSync(profile, { recursive: true });
  const maso = join(import.meta.dirname, '..', 'src', 'cli', 'maso.ts');
  const started = performance.now();
  const profiling = profile === null ? '' : `--cpu-prof --cpu-prof-dir=${profile}`;
  const child = spawn(process.execPath, [maso, 'up', file, '--json'], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, NODE_OPTIONS: profiling },
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<Ready>((resolve, reject) => {
    child.once('exit', (status) => reject(new Error(`maso up ended with ${status}:\n${said}`)));
    child.on('message', (message) => resolve(message as Ready));
  });
  const startMs = performance.now() - started;
  const sidecarOf = (agent: string): Ready['sidecars'][number] => {
    const found = ready.sidecars.find((sidecar) => sidecar.agent === agent);
    if (found === undefined) throw new Error(`There is no sidecar of ${agent}.`);
    return found;
  };
  return {
    pids: { node: child.pid ?? 0, a: sidecarOf('a').pid, b: sidecarOf('b').pid },
    startMs,
    join: (agent) => {
      const { address, tokenFile } = sidecarOf(agent);
      return joinMesh({ sidecar: address, token: readFileSync(tokenFile, 'utf8').trim() });
    },
    stop: async () => {
      child.disconnect();
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
