// SPDX-License-Identifier: Apache-2.0
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serverIdentity } from '../export-standins/certificates.ts';
import { HttpReceiver } from '../export-standins/http-receiver.ts';
import { SyslogReceiver } from '../export-standins/syslog-receiver.ts';
import { placesInFile } from '../export-standins/event-file.ts';
import { maso, MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';

const mesh = (exporters: string): string => `security_mesh:
  global: { development: true }
  domains:
    - { name: work, tier: PLAINTEXT, allowed_roles: [RETRIEVER, ANALYST], metadata_masking: false }
  agents:
    alpha: { role: RETRIEVER, command: [node, ./talk.mjs] }
    beta: { role: ANALYST }
  edges:
    - { from: alpha, to: beta, domain: work, schemas: [note/1] }
  schemas:
    note/1:
      type: data
      schema: { type: object, additionalProperties: false, properties: { text: { type: string } } }
  exporters:
${exporters}`;

/** Sends notes without end, and asks for nothing else. */
const talk = (sdk: string): string => `
import { joinMesh } from '${sdk}';
const alpha = await joinMesh();
for (;;) {
  await alpha.send({ type: 'data', schema: 'note/1', to: 'beta', payload: { text: 'hello' } })
    .catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
`;

describe('exporters of a mesh that is killed', () => {
  let folder: MeshFolder;
  let siem: HttpReceiver;
  let syslog: SyslogReceiver;
  let running: MasoProcess | null = null;

  beforeAll(async () => {
    const identity = await serverIdentity();
    siem = await HttpReceiver.listen();
    syslog = await SyslogReceiver.listen(identity);
    const sdk = new URL('../../src/index.ts', import.meta.url).pathname;
    folder = await MeshFolder.create({
      'talk.mjs': talk(sdk),
      'security_mesh.yaml': mesh(`    siem: { siem_http: { endpoint: "${siem.endpoint}" } }
    syslog: { siem_syslog: { host: 127.0.0.1, port: ${syslog.port}, ca_file: ${identity.caFile} } }
    file: { siem_file: { path: events.jsonl } }
`),
    });
  });
  afterAll(async () => {
    await running?.stop();
    await Promise.all([siem?.close(), syslog?.close()]);
    await folder?.remove();
  });

  const status = async (): Promise<{ readonly next: number; readonly behind: number }[]> => {
    const { out } = await maso(['exporters', 'status', '--state', folder.state, '--json']);
    return out === '' ? [] : (JSON.parse(out).exporters ?? []);
  };

  it('skip nothing: five kills, with endpoints away, slow and garbled in between', async () => {
    const troubles: readonly (() => Promise<void> | void)[] = [
      () => siem.close(),
      () => void (siem.answer = () => ({ status: 503 })),
      () => void (siem.answer = () => ({ status: 429, headers: { 'retry-after': '1' } })),
      () => void (siem.answer = () => null),
      () => void (syslog.hangsUp = true),
    ];
    for (const trouble of troubles) {
      running = await up(folder);
      const before = siem.places().length;
      await until('some events', () => siem.places().length > before + 20);
      await trouble();
      await new Promise((resolve) => setTimeout(resolve, 700));
      await running.kill();
      await siem.close();
      siem.answer = () => ({ status: 200 });
      syslog.hangsUp = false;
      await siem.open();
    }
    running = await up(folder);
    await until('everything to be delivered', async () => {
      const all = await status();
      return all.length === 3 && all.every(({ behind, next }) => behind < 50 && next > 300);
    }, 60_000);
    const reached = Math.min(...(await status()).map(({ next }) => next));
    await running.stop();
    const entries = await folder.entries();
    expect(entries.length).toBeGreaterThanOrEqual(reached);
    const wanted = entries.slice(0, reached).map(({ sequence }) => sequence);
    const places: { readonly [where: string]: readonly string[] } = {
      siem: siem.places(),
      syslog: syslog.events().map(({ metadata }) => metadata.uid),
      file: placesInFile(`${folder.directory}/events.jsonl`),
    };
    for (const [where, delivered] of Object.entries(places)) {
      const sequences = new Set(delivered.map((place) => Number(place.split(':').at(-1))));
      expect(wanted.filter((sequence) => !sequences.has(sequence)), where).toEqual([]);
      const firsts = [...sequences];
      expect(firsts, where).toEqual(firsts.toSorted((a, b) => a - b));
    }
    process.stdout.write(`${reached} entries at three places, five kills\n`);
  }, 180_000);
});
