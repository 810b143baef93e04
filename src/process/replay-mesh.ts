// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

/** What lies in the folder of a replay, beside the mesh's own state. */
export type ReplayFiles = {
  readonly meshFile: string;
  readonly texts: string;
  readonly socket: string;
  readonly state: string;
};

/** Source or compiled: the programs beside this one end like it. */
const extension = extname(import.meta.filename);
const source = join(import.meta.dirname, '..');

/** Path of one of the product's own programs, by its place under the source folder. */
export function programPath(name: string): string {
  return join(source, `${name}${extension}`);
}

/**
 * Writes the private mesh of a replay: one agent that sends texts to another, and one that reads
 * them from a tool. The folder is for this user alone, and so all runs as this user.
 */
export async function writeReplayMesh(state: string): Promise<ReplayFiles> {
  const directory = join(state, 'replay');
  const files: ReplayFiles = {
    meshFile: join(directory, 'security_mesh.yaml'),
    texts: join(directory, 'texts'),
    socket: join(directory, 'replay.sock'),
    state,
  };
  await mkdir(files.texts, { recursive: true, mode: 0o700 });
  await writeFile(files.meshFile, meshText(files.socket), { mode: 0o600 });
  await writeFile(join(directory, 'reader.yaml'), oispecText, { mode: 0o600 });
  return files;
}

function meshText(socket: string): string {
  const command = (agent: string): string =>
    JSON.stringify([process.execPath, programPath('sdk/replay-agent'), agent, socket]);
  return `security_mesh:
  trust_domain: replay.maso.local
  global: { tls_min_version: "1.3", audit_scope: FULL_MESH, autonomy_tier: 2, development: true }
  domains:
    - name: replay
      tier: PLAINTEXT
      allowed_roles: [ORCHESTRATOR, RETRIEVER, ANALYST]
      metadata_masking: true
      audit_level: FULL_MESH
  zones: { core: { clearance: confidential } }
  agents:
    sender: { role: ORCHESTRATOR, zone: core, command: ${command('sender')} }
    recipient: { role: ANALYST, zone: core, command: ${command('recipient')} }
    reader:
      role: RETRIEVER
      zone: core
      tools: [corpus]
      oispec: reader.yaml
      command: ${command('reader')}
  edges:
    - { from: sender, to: recipient, domain: replay, schemas: [note/1] }
  tools:
    corpus:
      function: ${JSON.stringify(programPath('process/replay-tool'))}
      results: { text: untrusted }
      operations: { read: { write: false } }
  schemas:
    note/1:
      type: data
      schema:
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 65536 } }
`;
}

const oispecText = `oisspec_id: replay-reader
agent_id: reader
created_by: maso replay
version: "1"
objective: { goal: Read the texts of a corpus. }
parameters: { permitted_tools: [corpus], data_scope: replay }
risk_classification: LOW
`;
