// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { makeFolders } from '../adapters/folders.ts';
import { channels } from '../message/channel.ts';

/** What lies in the folder of a replay, beside the mesh's own state. */
export type ReplayFiles = {
  readonly meshFile: string;
  readonly texts: string;
  readonly socket: string;
  readonly state: string;
};

const toolNames = channels.map((channel) => `corpus-${channel.replaceAll('_', '-')}`);

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
  makeFolders(files.texts, 0o700);
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
      tools: [${toolNames.join(', ')}]
      oispec: reader.yaml
      command: ${command('reader')}
  edges:
    - { from: sender, to: recipient, domain: replay, schemas: [note/1] }
  tools:
${toolNames.map(toolText).join('')}  schemas:
    note/1:
      type: data
      schema:
        type: object
        required: [text]
        additionalProperties: false
        properties: { text: { type: string, maxLength: 65536 } }
`;
}

/** A text meets the controls as what its row says it is: each channel has a tool of its own. */
export function toolFor(channel: string): string {
  const name = `corpus-${channel.replaceAll('_', '-')}`;
  return toolNames.includes(name) ? name : 'corpus-tool-result';
}

function toolText(name: string): string {
  return `    ${name}:
      function: ${JSON.stringify(programPath('process/replay-tool'))}
      results: { text: untrusted }
      channel: ${name.slice('corpus-'.length).replaceAll('-', '_')}
      operations: { read: { write: false } }
`;
}

const oispecText = `oisspec_id: replay-reader
agent_id: reader
created_by: maso replay
version: "1"
objective: { goal: Read the texts of a corpus. }
parameters: { permitted_tools: [${toolNames.join(', ')}], data_scope: replay }
risk_classification: LOW
`;
