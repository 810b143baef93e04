// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HttpReceiver } from '../../test/export-standins/http-receiver.ts';
import { metricShapes } from '../exporter/metrics.ts';
import type { ExportedEntry } from '../recorder/exporter.ts';
import { someEntries } from '../recorder/exporter.suite.ts';
import { OtlpExporter } from './exporter-otlp.ts';
import { SiemHttpExporter } from './exporter-siem-http.ts';
import { loadOtlpLibrary } from './otlp-library.ts';

const never = new AbortController().signal;
const [refusal] = someEntries(0, 1) as [ExportedEntry];
const traceId = String(refusal.traceId);
const call: ExportedEntry = {
  ...refusal, sequence: 1, kind: 'tool.outcome', outcome: 'GO', code: null, verdicts: [],
  actor: { kind: 'agent', name: 'payments' }, spanId: '00000000000000a1', parentSpanId: '00000000000000b2',
  link: { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) },
  facts: { tool: 'bank', operation: 'transfer', action: 'pay_invoice', risk: 'HIGH', domain: 'billing' },
};

/** Attributes of OTLP JSON as a plain map. */
function plain(attributes: readonly { readonly key: string; readonly value: object }[]): object {
  return Object.fromEntries(attributes.map(({ key, value }) => {
    const [first] = Object.values(value);
    return [key, first];
  }));
}

describe('what goes out, field by field', () => {
  let receiver: HttpReceiver;
  let otlp: OtlpExporter;
  beforeAll(async () => {
    receiver = await HttpReceiver.listen();
    otlp = new OtlpExporter({
      endpoint: receiver.endpoint, credentialFile: null, caFile: null,
      signals: ['traces', 'logs', 'metrics'], metricsIntervalMs: 3_600_000,
      library: await loadOtlpLibrary(), instance: 'log-of-a-test',
    });
    expect(await otlp.deliver([refusal, call], never)).toEqual({ ok: true, rejected: 0 });
    otlp.sink?.set('maso_node_up', {}, 1);
    await otlp.sendMetrics();
  });
  afterAll(async () => {
    await otlp.close();
    await receiver.close();
  });

  test('spans: a refused hop and a tool call', () => {
    const [body] = receiver.bodies('/v1/traces') as readonly OtlpRequest[];
    const resource = body?.resourceSpans[0];
    expect(plain(resource?.resource.attributes ?? [])).toEqual({
      'service.name': 'maso', 'service.instance.id': 'log-of-a-test',
    });
    const [hop, tool] = resource?.scopeSpans[0]?.spans ?? [];
    expect(hop).toMatchObject({
      traceId, spanId: refusal.spanId, name: 'refuse invoice/1', kind: 1, status: { code: 2 },
      startTimeUnixNano: '1799999999998800000', endTimeUnixNano: '1800000000000000000',
    });
    expect(plain(hop?.attributes ?? [])).toEqual({
      'maso.log': 'log-of-a-test', 'maso.sequence': 0, 'maso.kind': 'message.refused',
      'maso.actor.kind': 'node', 'maso.outcome': 'NO-GO', 'maso.code': 'BUS_EDGE_DENIED',
      'maso.domain': 'billing', 'maso.schema': 'invoice/1', 'maso.from': 'triage',
      'maso.controls': { values: [{ stringValue: 'bus=NO-GO' }] },
      'maso.attack.atlas': { values: [{ stringValue: 'AML.T0053' }] },
      'maso.attack.owasp': { values: [{ stringValue: 'ASI10:2026' }] },
      'error.type': 'BUS_EDGE_DENIED', 'messaging.system': 'maso',
      'messaging.operation.type': 'process', 'messaging.destination.name': 'payments',
    });
    expect(tool).toMatchObject({
      traceId, spanId: call.spanId, parentSpanId: call.parentSpanId, status: { code: 0 },
      name: 'execute_tool bank.transfer',
      links: [{ traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }],
    });
    expect(plain(tool?.attributes ?? [])).toEqual({
      'maso.log': 'log-of-a-test', 'maso.sequence': 1, 'maso.kind': 'tool.outcome',
      'maso.actor.kind': 'agent', 'maso.outcome': 'GO', 'maso.domain': 'billing',
      'maso.action': 'pay_invoice', 'maso.risk': 'HIGH', 'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'bank.transfer', 'gen_ai.tool.type': 'extension',
      'gen_ai.agent.name': 'payments',
    });
  });

  test('logs: what a person should look at, in its trace', () => {
    const [body] = receiver.bodies('/v1/logs') as readonly OtlpRequest[];
    const records = body?.resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
    expect(records.length).toBe(1);
    expect(records[0]).toMatchObject({
      traceId, spanId: refusal.spanId, severityNumber: 13, severityText: 'WARN',
      eventName: 'maso.message.refused', body: { stringValue: 'message.refused' },
    });
  });

  test('metrics: only those of the catalogue, with its labels', () => {
    const [body] = receiver.bodies('/v1/metrics') as readonly OtlpRequest[];
    const metrics = body?.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
    const names = metrics.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['maso_hops_total', 'maso_refusals_total', 'maso_node_up']));
    const known = new Map(metricShapes.map(({ name, labels }) => [String(name), labels]));
    for (const { name, sum, gauge, histogram } of metrics) {
      for (const point of (sum ?? gauge ?? histogram)?.dataPoints ?? []) {
        const labels = Object.keys(plain(point.attributes));
        expect(labels.toSorted(), name).toEqual([...(known.get(name) ?? ['none'])].toSorted());
      }
    }
  });

  test('a SIEM event', async () => {
    const siem = await HttpReceiver.listen();
    const exporter = new SiemHttpExporter({ endpoint: siem.endpoint, credentialFile: null, caFile: null });
    await exporter.deliver([refusal], never);
    const [[event]] = siem.bodies('/') as [[object]];
    expect(Object.keys(event).toSorted()).toEqual([
      'activity_id', 'activity_name', 'actor', 'category_name', 'category_uid', 'class_name',
      'class_uid', 'finding_info', 'is_alert', 'metadata', 'severity', 'severity_id', 'status',
      'status_code', 'status_detail', 'status_id', 'time', 'type_name', 'type_uid', 'unmapped',
    ]);
    expect(Reflect.get(event, 'unmapped')).toEqual({
      from: 'triage', to: 'payments', domain: 'billing', schema: 'invoice/1', actor_kind: 'node',
      outcome: 'NO-GO', code: 'BUS_EDGE_DENIED', codes: ['BUS_EDGE_DENIED'],
      owasp: [{ uid: 'ASI10:2026', name: 'Rogue Agents' }], took_us: 1200, trace_id: traceId,
      span_id: refusal.spanId, verdicts: [{ control: 'bus', outcome: 'NO-GO', took_us: 900 }],
    });
    await exporter.close();
    await siem.close();
  });
});

type Attribute = { readonly key: string; readonly value: object };
type Point = { readonly dataPoints: readonly { readonly attributes: readonly Attribute[] }[] };
/** The parts of OTLP requests that the tests look at. */
type OtlpRequest = {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly { readonly attributes: readonly Attribute[] }[] }[];
  }[];
  readonly resourceLogs: readonly { readonly scopeLogs: readonly { readonly logRecords: readonly object[] }[] }[];
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: Point;
        readonly gauge?: Point;
        readonly histogram?: Point;
      }[];
    }[];
  }[];
};
