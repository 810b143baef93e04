// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinMesh, type MeshAgent } from '../../src/sdk/join-mesh.ts';
import { joinMeshInProcess } from '../../src/sdk/in-process.ts';
import { SidecarRefused } from '../../src/sdk/sidecar-http.ts';
import { MeshFolder, masoProgram, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const run = promisify(execFile);

const meshText = `
security_mesh:
  global: { tls_min_version: "1.3", credential_rotation_interval_ms: 60000, audit_scope: FULL_MESH, autonomy_tier: 1, development: true }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [ORCHESTRATOR, RETRIEVER, ANALYST, EXECUTOR], metadata_masking: false, audit_level: FULL_MESH }
  zones: { core: { clearance: confidential } }
  agents:
    reader: { role: RETRIEVER, zone: core, isolation: container }
    analyst: { role: ANALYST, zone: core, originator: true }
    clerk: { role: EXECUTOR, zone: core, oispec: clerk.yaml, tools: [desk] }
  edges:
    - { from: reader, to: analyst, domain: work, schemas: [note/1] }
    - { from: analyst, to: clerk, domain: work, may_request: [file_note] }
  schemas:
    note/1: { type: data, schema: { type: object, required: [text], additionalProperties: false, properties: { text: { type: string, maxLength: 200 } } } }
  actions:
    file_note:
      risk: LOW
      reversibility: reversible
      tool: desk.file
      parameters: number.json
      output: number.json
  tools:
    desk:
      function: ./desk.mjs
      operations: { file: { write: true } }
      results: { number: internal }
`;

const files: { [name: string]: string } = {
  'security_mesh.yaml': meshText,
  'number.json': JSON.stringify({
    type: 'object',
    additionalProperties: false,
    required: ['number'],
    properties: { number: { type: 'integer', minimum: 0, maximum: 1000 } },
  }),
  'desk.mjs': `
const inputSchema = { type: 'object', additionalProperties: false, required: ['number'], properties: { number: { type: 'integer' } } };
export const operations = { file: { description: 'Files a number.', inputSchema, run: ({ number }) => ({ number }) } };
`,
};
files['clerk.yaml'] = `
oisspec_version: "1"
oisspec_id: clerk
agent_id: clerk
agent_role: task
created_by: test
created_at: "2026-01-01T00:00:00Z"
version: "1"
objective: { goal: File numbers., success_criteria: [], failure_criteria: [] }
parameters: { permitted_tools: [desk], permitted_actions: [file_note], prohibited_actions: [], data_scope: [work] }
authority: { can_delegate: false, max_delegation_depth: 0 }
risk_classification: LOW
`;

describe('the SDK', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess | undefined;

  beforeAll(async () => {
    folder = await MeshFolder.create(files);
    mesh = await up(folder);
  });

  afterAll(async () => {
    await mesh?.stop();
    await folder.remove();
  });

  test('joins in-process, says isolation none at start and in every entry', async () => {
    const said: string[] = [];
    const reader = await joinMeshInProcess({
      meshFile: folder.meshFile,
      agent: 'reader',
      stateDirectory: `${folder.state}-in-process`,
      joinToken: await folder.joinToken('reader'),
      log: (line) => said.push(line),
    });
    const sent = await reader.send({ to: 'analyst', type: 'data', schema: 'note/1', payload: { text: 'hello' } });
    expect(sent.verdict).toBe('GO');
    expect(reader.isolation).toBe('none');
    expect(said.join()).toContain('isolation: none');
    const entry = await until('the entry', async () =>
      (await folder.entries()).find((one) => one.message === sent.messageId && one.kind === 'message.outbound'),
    );
    expect(entry.detail).toMatchObject({ isolation: 'none' });
    reader.close();
  });

  test('refuses an executor whose sidecar would live in its own process', async () => {
    const joining = joinMeshInProcess({
      meshFile: folder.meshFile,
      agent: 'clerk',
      stateDirectory: `${folder.state}-clerk`,
      log: () => undefined,
    });
    await expect(joining).rejects.toBeInstanceOf(SidecarRefused);
  });

  test('at tier 1 a LOW write waits for a person, runs once released, and nobody forges its outcome', async () => {
    const analyst = await joinMesh({
      sidecar: folder.socketOf('analyst'),
      token: folder.tokenOf('analyst'),
    });
    const asked = await analyst.request('clerk', 'file_note', { number: 7 }, { idempotencyKey: 'k1', waitMs: 500 });
    expect(asked).toMatchObject({ verdict: 'ESCALATE', code: 'HELD', status: null });
    const list = await maso(folder, ['approvals', 'list', '--json']);
    const [held] = (JSON.parse(list) as { approvals: { id: string; hold: { action: string } }[] }).approvals;
    expect(held?.hold.action).toBe('file_note');
    await maso(folder, ['approvals', 'approve', held?.id ?? '', '--reason', 'looked at it']);
    for await (const message of analyst.messages()) {
      if (message.inReplyTo !== asked.messageId) continue;
      expect(message.schema).toBe('action-outcome/1');
      expect(message.payload).toMatchObject({ status: 'DONE', result: { number: 7 } });
      break;
    }
    const trace = await maso(folder, ['trace', asked.messageId ?? '']);
    expect(trace).toContain('approval.held');
    expect(trace).toContain('approval.decided');
    expect(trace.split('\n').every((line) => line.length <= 80)).toBe(true);
    await forgeOutcome(analyst);
  });

  async function forgeOutcome(analyst: MeshAgent): Promise<void> {
    const payload = { action: 'file_note', idempotencyKey: 'k1', status: 'DONE', code: null, result: {} };
    const forged = await analyst.send({ to: 'clerk', type: 'data', schema: 'action-outcome/1', payload });
    expect(forged).toMatchObject({ verdict: 'NO-GO', code: 'REFUSED' });
    const entry = await until('the refusal', async () =>
      (await folder.entries()).find((one) => one.message === forged.messageId),
    );
    expect(entry).toMatchObject({ kind: 'message.refused', code: 'SIDECAR_OUTCOME_FORGED' });
    await expect(analyst.tools.list()).rejects.toBeInstanceOf(SidecarRefused);
    analyst.close();
  }
});

async function maso(folder: MeshFolder, args: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, [masoProgram, ...args, '--state', folder.state]);
  return stdout;
}
