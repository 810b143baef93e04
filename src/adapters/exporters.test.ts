// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serverIdentity, type ServerIdentity } from '../../test/export-standins/certificates.ts';
import { HttpReceiver } from '../../test/export-standins/http-receiver.ts';
import { SyslogReceiver } from '../../test/export-standins/syslog-receiver.ts';
import type { Exporter } from '../recorder/exporter.ts';
import { exporterSuite, someEntries } from '../recorder/exporter.suite.ts';
import { OtlpExporter } from './exporter-otlp.ts';
import { PrometheusExporter } from './exporter-prometheus.ts';
import { SiemFileExporter } from './exporter-siem-file.ts';
import { SiemHttpExporter } from './exporter-siem-http.ts';
import { SiemSyslogExporter } from './exporter-siem-syslog.ts';
import { loadOtlpLibrary } from './otlp-library.ts';

const never = new AbortController().signal;
let identity: ServerIdentity;
let directory: string;
beforeAll(async () => {
  identity = await serverIdentity();
  directory = await mkdtemp(join(tmpdir(), 'maso-exporters-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const none = { credentialFile: null, caFile: null };
const syslogTo = (port: number, caFile: string | null): SiemSyslogExporter =>
  new SiemSyslogExporter({ host: '127.0.0.1', port, caFile, certificateFile: null, keyFile: null });
async function otlpTo(endpoint: string, caFile: string | null = null): Promise<OtlpExporter> {
  return new OtlpExporter({
    endpoint, credentialFile: null, caFile, signals: ['traces', 'logs', 'metrics'],
    metricsIntervalMs: 3_600_000, library: await loadOtlpLibrary(), instance: 'log-of-a-test',
  });
}

type OtlpBody = {
  readonly resourceSpans: readonly {
    readonly scopeSpans: readonly { readonly spans: readonly { readonly spanId: string }[] }[];
  }[];
};

/** Places of spans: the entries of the suite have their sequence in the span id. */
function spanPlaces(receiver: HttpReceiver): string[] {
  return (receiver.bodies('/v1/traces') as readonly OtlpBody[]).flatMap(({ resourceSpans }) =>
    resourceSpans.flatMap(({ scopeSpans }) =>
      scopeSpans.flatMap(({ spans }) =>
        spans.map(({ spanId }) => `log-of-a-test:${Number.parseInt(spanId, 16) - 1}`),
      ),
    ),
  );
}

function httpCase(make: (receiver: HttpReceiver) => Exporter | Promise<Exporter>,
  kept: (receiver: HttpReceiver) => string[]) {
  return async () => {
    const receiver = await HttpReceiver.listen();
    return {
      exporter: await make(receiver),
      kept: async () => kept(receiver),
      break: () => receiver.close(),
      mend: () => receiver.open(),
      stall: async () => void (receiver.answer = () => null),
      dispose: () => receiver.close(),
    };
  };
}

exporterSuite('the OTLP exporter', httpCase(({ endpoint }) => otlpTo(endpoint), spanPlaces));
exporterSuite(
  'the HTTP SIEM exporter',
  httpCase(({ endpoint }) => new SiemHttpExporter({ endpoint, ...none }), (one) => one.places()),
);
exporterSuite('the syslog exporter', async () => {
  const receiver = await SyslogReceiver.listen(identity);
  return {
    exporter: syslogTo(receiver.port, identity.caFile),
    kept: async () => receiver.events().map(({ metadata }) => metadata.uid),
    break: () => receiver.close(),
    mend: () => receiver.open(),
    stall: async () => void (receiver.confirms = false),
    dispose: () => receiver.close(),
  };
});
exporterSuite('the file exporter', async () => {
  const folder = join(await mkdtemp(join(directory, 'file-')), 'later');
  const path = join(folder, 'events.jsonl');
  const { mkdir } = await import('node:fs/promises');
  await mkdir(folder);
  return {
    exporter: new SiemFileExporter(path),
    kept: async () => placesIn(path),
    break: () => rename(folder, `${folder}-away`),
    mend: () => rename(`${folder}-away`, folder),
    stall: null,
    dispose: async () => undefined,
  };
});
exporterSuite('the Prometheus exporter', async () => {
  const exporter = await PrometheusExporter.listen(await freePort());
  return {
    exporter, kept: null, break: null, mend: null, stall: null, dispose: async () => undefined,
  };
});

async function placesIn(path: string): Promise<string[]> {
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line).metadata.uid);
}

async function freePort(): Promise<number> {
  const receiver = await HttpReceiver.listen();
  const { port } = receiver;
  await receiver.close();
  return port;
}

describe('an HTTP endpoint', () => {
  const outcome = async (answer: HttpReceiver['answer']) => {
    const receiver = await HttpReceiver.listen();
    receiver.answer = answer;
    const exporter = new SiemHttpExporter({ endpoint: receiver.endpoint, ...none });
    const delivery = await exporter.deliver(someEntries(0, 1), never);
    await exporter.close();
    await receiver.close();
    return delivery;
  };

  test.each([
    [429, 'EXPORT_ENDPOINT_BUSY'], [408, 'EXPORT_ENDPOINT_BUSY'], [500, 'EXPORT_ENDPOINT_BUSY'],
    [503, 'EXPORT_ENDPOINT_BUSY'], [400, 'EXPORT_ENDPOINT_REFUSED'],
    [401, 'EXPORT_ENDPOINT_REFUSED'], [403, 'EXPORT_ENDPOINT_REFUSED'],
    [404, 'EXPORT_ENDPOINT_REFUSED'], [413, 'EXPORT_BATCH_TOO_LARGE'],
  ])('that answers %d has confirmed nothing', async (status, code) => {
    expect(await outcome(() => ({ status }))).toEqual({ ok: false, code, retryAfterMs: null });
  });

  test('that asks for time is given it; a date is not followed', async () => {
    const later = { status: 429, headers: { 'retry-after': '7' } };
    expect(await outcome(() => later)).toMatchObject({ ok: false, retryAfterMs: 7_000 });
    const date = { status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2037 07:28:00 GMT' } };
    expect(await outcome(() => date)).toMatchObject({ ok: false, retryAfterMs: null });
  });

  test('that sends elsewhere is not followed', async () => {
    const elsewhere = await HttpReceiver.listen();
    const headers = { location: `${elsewhere.endpoint}/` };
    const code = 'EXPORT_ENDPOINT_REFUSED';
    for (const status of [301, 302, 307, 308]) {
      expect(await outcome(() => ({ status, headers }))).toMatchObject({ ok: false, code });
    }
    expect(elsewhere.seen).toEqual([]);
    await elsewhere.close();
  });

  test('that answers without end is cut off', async () => {
    const endless = { status: 200, body: 'x'.repeat(1_000_000) };
    const code = 'EXPORT_ENDPOINT_GARBLED';
    expect(await outcome(() => endless)).toMatchObject({ ok: false, code });
  });

  test('that is no HTTP server is garbled', async () => {
    const { createServer } = await import('node:net');
    const server = createServer((socket) => socket.end('\u0000\u0001 nonsense\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const endpoint = `http://127.0.0.1:${port}`;
    const exporter = new SiemHttpExporter({ endpoint, ...none });
    const delivery = await exporter.deliver(someEntries(0, 1), never);
    expect(delivery).toMatchObject({ ok: false, code: 'EXPORT_ENDPOINT_GARBLED' });
    server.close();
  });

  test('gets the token of its file, and nothing is sent where the file is exposed', async () => {
    const receiver = await HttpReceiver.listen();
    const { endpoint } = receiver;
    const credentialFile = join(directory, 'token');
    await writeFile(credentialFile, 'a-token-of-a-test\n', { mode: 0o600 });
    const exporter = new SiemHttpExporter({ endpoint, credentialFile, caFile: null });
    expect(await exporter.deliver(someEntries(0, 1), never)).toMatchObject({ ok: true });
    expect(receiver.taken[0]?.headers.authorization).toBe('Bearer a-token-of-a-test');
    const exposed = join(directory, 'exposed');
    await writeFile(exposed, 'a-token-of-a-test\n', { mode: 0o644 });
    const careless = new SiemHttpExporter({ endpoint, credentialFile: exposed, caFile: null });
    const code = 'EXPORT_CREDENTIAL_UNREADABLE';
    expect(await careless.deliver(someEntries(0, 1), never)).toMatchObject({ ok: false, code });
    expect(receiver.seen.length).toBe(1);
    await receiver.close();
  });
});

describe('a certificate', () => {
  const code = 'EXPORT_CERTIFICATE_REFUSED';
  const attempts = async (server: ServerIdentity, caFile: string | null) => {
    const http = await HttpReceiver.listen(server);
    const syslog = await SyslogReceiver.listen(server);
    const exporters = [
      new SiemHttpExporter({ endpoint: http.endpoint, credentialFile: null, caFile }),
      await otlpTo(http.endpoint, caFile),
      syslogTo(syslog.port, caFile),
    ];
    const deliveries = [];
    for (const exporter of exporters) {
      deliveries.push(await exporter.deliver(someEntries(0, 1), never));
      await exporter.close();
    }
    expect(http.seen.length + syslog.messages.length).toBe(deliveries[0]?.ok === true ? 4 : 0);
    await http.close();
    await syslog.close();
    return deliveries;
  };
  const refused = { ok: false, code, retryAfterMs: null };

  test('of an authority that is not trusted is refused', async () => {
    expect(await attempts(identity, null)).toEqual([refused, refused, refused]);
    const other = await serverIdentity();
    expect(await attempts(identity, other.caFile)).toEqual([refused, refused, refused]);
  });

  test('for another name is refused', async () => {
    const other = await serverIdentity({ names: ['siem.example.org'] });
    expect(await attempts(other, other.caFile)).toEqual([refused, refused, refused]);
  });

  test('that has ended is refused', async () => {
    const ended = await serverIdentity({ expired: true });
    expect(await attempts(ended, ended.caFile)).toEqual([refused, refused, refused]);
  });

  test('for its name from an authority that is named is accepted', async () => {
    const taken = await attempts(identity, identity.caFile);
    expect(taken.map(({ ok }) => ok)).toEqual([true, true, true]);
  });
});

describe('the syslog exporter', () => {
  test('has confirmed nothing when the server hangs up', async () => {
    const receiver = await SyslogReceiver.listen(identity);
    receiver.hangsUp = true;
    const exporter = syslogTo(receiver.port, identity.caFile);
    for (const count of [1, 20, 1000]) {
      const delivery = await exporter.deliver(someEntries(0, count), never);
      expect(delivery).toMatchObject({ ok: false, code: 'EXPORT_ENDPOINT_UNREACHABLE' });
    }
    receiver.hangsUp = false;
    expect(await exporter.deliver(someEntries(0, 20), never)).toEqual({ ok: true, rejected: 0 });
    await receiver.close();
  });

  test('writes RFC 5424 headers', async () => {
    const receiver = await SyslogReceiver.listen(identity);
    const exporter = syslogTo(receiver.port, identity.caFile);
    await exporter.deliver(someEntries(0, 1), never);
    const header = /^<8[0-7]>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]+ maso - ocsf - \uFEFF\{/;
    expect(receiver.messages[0]).toMatch(header);
    await receiver.close();
  });
});

describe('the file exporter', () => {
  test('goes on in a new file when the old one was moved away', async () => {
    const path = join(await mkdtemp(join(directory, 'rotate-')), 'events.jsonl');
    const exporter = new SiemFileExporter(path);
    await exporter.deliver(someEntries(0, 2), never);
    await rename(path, `${path}.1`);
    await exporter.deliver(someEntries(2, 3), never);
    expect(await placesIn(`${path}.1`)).toEqual(['log-of-a-test:0', 'log-of-a-test:1']);
    expect(await placesIn(path)).toEqual(['log-of-a-test:2']);
    await exporter.close();
  });

  test('ends a line that a crash left incomplete before it writes', async () => {
    const path = join(await mkdtemp(join(directory, 'torn-')), 'events.jsonl');
    await writeFile(path, '{"cut off');
    const exporter = new SiemFileExporter(path);
    await exporter.deliver(someEntries(0, 1), never);
    await exporter.close();
    const lines = (await readFile(path, 'utf8')).split('\n');
    expect(lines[0]).toBe('{"cut off');
    expect(JSON.parse(lines[1] ?? '').metadata.sequence).toBe(0);
  });

  test('does not write through a link', async () => {
    const { symlink } = await import('node:fs/promises');
    const folder = await mkdtemp(join(directory, 'link-'));
    await writeFile(join(folder, 'elsewhere'), '');
    await symlink(join(folder, 'elsewhere'), join(folder, 'events.jsonl'));
    const exporter = new SiemFileExporter(join(folder, 'events.jsonl'));
    const delivery = await exporter.deliver(someEntries(0, 1), never);
    expect(delivery).toMatchObject({ ok: false, code: 'EXPORT_FILE_UNWRITABLE' });
    expect(await readFile(join(folder, 'elsewhere'), 'utf8')).toBe('');
  });
});

describe('the Prometheus endpoint', () => {
  test('gives metrics to a scraper and nothing to a browser or another path', async () => {
    const port = await freePort();
    const exporter = await PrometheusExporter.listen(port);
    await exporter.deliver(someEntries(0, 3), never);
    const base = `http://127.0.0.1:${port}`;
    const text = await (await fetch(`${base}/metrics`, { headers: {} })).text();
    expect(text).toContain('maso_refusals_total{code="BUS_EDGE_DENIED"} 3');
    expect(text).toContain('maso_hops_total{stage="refused",domain="billing"} 3');
    expect((await fetch(`${base}/other`)).status).toBe(403);
    expect((await fetch(`${base}/metrics`, { method: 'POST' })).status).toBe(403);
    const origin = { origin: 'https://example.org' };
    expect((await fetch(`${base}/metrics`, { headers: origin })).status).toBe(403);
    await exporter.close();
  });

  test('says when its port is taken', async () => {
    const receiver = await HttpReceiver.listen();
    const taken = PrometheusExporter.listen(receiver.port);
    await expect(taken).rejects.toMatchObject({ code: 'EXPORT_PORT_TAKEN' });
    await receiver.close();
  });
});
