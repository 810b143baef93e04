// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readMeshOrThrow } from '../../src/adapters/mesh-files.ts';
import { traceIdOfTask } from '../../src/exporter/trace-ids.ts';
import { startExporters, type RunningExporters } from '../../src/process/exporters.ts';
import { HttpReceiver } from '../export-standins/http-receiver.ts';
import { attackMesh, makePeople } from '../mesh-harness/attack-mesh.ts';
import { MeshInProcess } from '../mesh-harness/mesh-in-process.ts';
import { MeshFolder, until } from '../mesh-harness/running-mesh.ts';

type Span = { readonly traceId: string; readonly spanId: string; readonly parentSpanId?: string; readonly name: string };
type Request = {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
};

describe('one task over three agents and a tool', () => {
  let folder: MeshFolder;
  let mesh: MeshInProcess;
  let exporters: RunningExporters;
  let collector: HttpReceiver;

  beforeAll(async () => {
    collector = await HttpReceiver.listen();
    const files = attackMesh(makePeople());
    const text = (files['security_mesh.yaml'] ?? '')
      .replace('development: false', 'development: true')
      .replace('classification: internal\n', 'classification: internal\n      metadata_masking: false\n');
    folder = await MeshFolder.create({
      ...files,
      'security_mesh.yaml':
        `${text}  exporters: { otel: { otlp: { endpoint: "${collector.endpoint}", signals: [traces] } } }\n`,
    });
    mesh = await MeshInProcess.start(folder, ['desk', 'planner', 'payments']);
    for (const agent of ['desk', 'planner']) await mesh.fresh(agent);
    exporters = await startExporters({
      mesh: readMeshOrThrow(folder.meshFile), stateDirectory: folder.state, log: () => undefined,
    });
  }, 120_000);
  afterAll(async () => {
    await exporters?.close();
    await mesh?.close();
    await collector?.close();
    await folder?.remove();
  });

  it('is one trace, whose steps hang together down to the tool call', async () => {
    const started = await mesh.startTask('desk', 'planner', { text: 'count a' });
    const task = String(started.body['task']);
    await mesh.take('planner', task);
    const asked = await mesh.request('planner', 'count', { name: 'a' }, task);
    expect(asked.outcome?.['status'], JSON.stringify(asked.body)).toBe('DONE');
    const spans = await until('the spans of the task', () => {
      const requests = collector.bodies('/v1/traces') as readonly Request[];
      const all = requests.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
      const own = all.filter(({ traceId }) => traceId === traceIdOfTask(task));
      return own.some(({ name }) => name === 'receive action-outcome/1') && own;
    });
    const names = spans.map(({ name }) => name);
    for (const step of [
      'send order/1', 'admit order/1', 'receive order/1', 'send action-request/1',
      'admit action-request/1', 'receive action-request/1', 'review count',
      'execute_tool counter.bump', 'send action-outcome/1',
    ]) expect(names).toContain(step);
    const byId = new Map(spans.map((span) => [span.spanId, span]));
    const chain: string[] = [];
    let at = spans.find(({ name }) => name === 'execute_tool counter.bump');
    while (at !== undefined) {
      chain.push(at.name);
      at = byId.get(at.parentSpanId ?? '');
    }
    expect(chain).toEqual([
      'execute_tool counter.bump', 'receive action-request/1', 'admit action-request/1',
      'send action-request/1', 'receive order/1', 'admit order/1', 'send order/1',
    ]);
  }, 60_000);
});
