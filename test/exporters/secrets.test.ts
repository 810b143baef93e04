// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { startExporters, type RunningExporters } from '../../src/process/exporters.ts';
import { agentRequests } from '../../src/sidecar/agent-requests.ts';
import { serverIdentity } from '../export-standins/certificates.ts';
import { HttpReceiver } from '../export-standins/http-receiver.ts';
import { SyslogReceiver } from '../export-standins/syslog-receiver.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { MeshFolder, until } from '../mesh-harness/running-mesh.ts';
import { PlantedSecrets, seeded } from './planted-secrets.ts';

const count = Number(process.env['MASO_PLANTED_MESSAGES'] ?? (process.env['CI'] ? 3_000 : 2_000));
const seed = Number(process.env['MASO_PLANTED_SEED'] ?? Math.floor(Math.random() * 1e9));
const random = seeded(seed);
const secrets = new PlantedSecrets(random);
const never = new AbortController().signal;
const inFlight = 128;

describe('secrets and personal data in messages', () => {
  const lines: string[] = [];
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let exporters: RunningExporters;
  let otlp: HttpReceiver;
  let siem: HttpReceiver;
  let syslog: SyslogReceiver;
  let metricsPort: number;

  beforeAll(async () => {
    const identity = await serverIdentity();
    [otlp, siem, syslog] = await Promise.all([
      HttpReceiver.listen(), HttpReceiver.listen(identity), SyslogReceiver.listen(identity),
    ]);
    const spare = await HttpReceiver.listen();
    metricsPort = spare.port;
    await spare.close();
    const limits = ', messages_per_second: 100000, message_burst: 100000, queued_messages_max: 100000';
    const files = attackMesh(makePeople(), limits);
    const text = (files['security_mesh.yaml'] ?? '')
      .replace('development: false', 'development: true')
      .replace('classification: internal\n', 'classification: internal\n      metadata_masking: false\n');
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml': `${text}  exporters:
    otel: { otlp: { endpoint: "${otlp.endpoint}", metrics_interval_ms: 1000 } }
    metrics: { prometheus: { port: ${metricsPort} } }
    siem: { siem_http: { endpoint: "${siem.endpoint}", ca_file: ${identity.caFile} } }
    syslog: { siem_syslog: { host: 127.0.0.1, port: ${syslog.port}, ca_file: ${identity.caFile} } }
    file: { siem_file: { path: events.jsonl } }
`,
    });
    const agents = ['desk', 'reader', 'planner', 'payments'];
    mesh = await MeshInProcess.start(folder, agents, (line) => void lines.push(line));
    for (const agent of ['desk', 'reader', 'planner']) await mesh.fresh(agent);
    exporters = await startExporters({
      mesh: readMeshOrThrow(folder.meshFile),
      stateDirectory: folder.state,
      log: (line) => void lines.push(line),
    });
  }, 120_000);
  afterAll(async () => {
    await exporters?.close();
    await mesh?.close();
    await Promise.all([otlp?.close(), siem?.close(), syslog?.close()]);
    await folder?.remove();
  });

  /** Sends one message with secrets wherever an agent may write something. */
  async function plant(): Promise<void> {
    const secret = secrets.next();
    const name = secret.slice(0, 60);
    const own = { type: 'data', schema: 'note/1', to: 'planner', task: null } as const;
    const send = (agent: string, body: object) =>
      mesh.api(agent).sendMessage(agentRequests.sendMessage.parse(body), mesh.memory(agent));
    const ask = (body: object) =>
      mesh.api('planner').requestAction(
        agentRequests.requestAction.parse({
          to: 'payments', action: 'count', idempotencyKey: name, task: null, waitMs: 1, parameters: {},
          ...body,
        }),
        mesh.memory('planner'),
        never,
      );
    const text = `Dear colleague, about ${secret}: see you tomorrow.`;
    const ways: readonly (() => Promise<unknown>)[] = [
      () => send('reader', { ...own, payload: { text } }),
      () => send('reader', { ...own, payload: { text: secret, [secret]: secret } }),
      () => send('reader', { ...own, payload: { [secret]: { [secret]: [{ [secret]: secret }] } } }),
      () => send('reader', { ...own, payload: secret }),
      () => send('reader', { ...own, to: name, payload: { text } }),
      () => send('reader', { ...own, schema: name, payload: { text } }),
      () => send('reader', { ...own, domain: name, payload: { text } }),
      () => send('reader', { ...own, payload: { text }, metadata: { [name]: secret, sender_ip: secret } }),
      () => send('reader', { ...own, payload: { text }, traceparent: secret }),
      () => send('reader', {
        ...own, payload: { text },
        epistemic: { confidence: 0.5, assumptions: [secret], unknowns: [secret] },
      }),
      () => ask({ action: name, parameters: { [secret]: secret } }),
      () => ask({ action: 'pay_invoice', parameters: { invoice: '7', payee: secret, amount: 7, idempotency_key: name } }),
      () => ask({ parameters: { name: secret } }),
      () => ask({ parameters: { name: 'a' } }),
      () => ask({ to: name }),
      () => mesh.startTask('desk', 'planner', { text, payee: secret }, { metadata: { [name]: secret } }),
      () => mesh.startTask('desk', 'planner', { text: secret, [secret]: secret }),
      () => mesh.api('reader').callTool(
        agentRequests.callTool.parse({ tool: name, operation: name, arguments: { [secret]: secret }, task: null }),
        mesh.memory('reader'),
      ),
      () => mesh.api('reader').callTool(
        agentRequests.callTool.parse({ tool: 'notes', operation: name, arguments: { [secret]: secret }, task: null }),
        mesh.memory('reader'),
      ),
    ];
    await ways[Math.floor(random() * ways.length)]?.();
  }

  it(`appear in nothing that operations see: ${count} messages, seed ${seed}`, async () => {
    for (let sent = 0; sent < count; sent += inFlight) {
      await Promise.all(Array.from({ length: inFlight }, () => plant()));
      // Some end the session of their agent: it goes on with the next process, as it would.
      if (sent % inFlight === 0) {
        for (const agent of ['desk', 'reader', 'planner']) await mesh.fresh(agent);
      }
    }
    const size = (): number => mesh.node.recorder.size();
    await until('the exporters to catch up', () =>
      exporters.status().exporters.every(({ next }) => next >= size()), 60_000);
    const scraped = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    await until('metrics at the collector', () => otlp.bodies('/v1/metrics').length > 0);

    const log = join(folder.state, 'log');
    const segments = readdirSync(log, { recursive: true, withFileTypes: true })
      .filter((file) => file.isFile())
      .map((file) => readFileSync(join(file.parentPath, file.name), 'latin1'));
    const seen: { readonly [where: string]: string } = {
      'SIEM events over HTTP': siem.seen.map(({ text }) => text).join('\n'),
      'SIEM events over syslog': syslog.messages.join('\n'),
      'SIEM events in the file': readFileSync(join(folder.directory, 'events.jsonl'), 'utf8'),
      'traces, metrics and logs': otlp.seen.map(({ text }) => text).join('\n'),
      'metric labels': scraped,
      'log lines': lines.join('\n'),
      'operational entries': segments.join('\n'),
    };
    for (const [where, text] of Object.entries(seen)) {
      if (where !== 'log lines') expect(text.length, where).toBeGreaterThan(1000);
      expect(secrets.foundIn(text), where).toBe(null);
    }
    expect(size()).toBeGreaterThan(count / 2);
    process.stdout.write(`${count} messages, ${size()} entries, seed ${seed}\n`);
  }, 600_000);
});
