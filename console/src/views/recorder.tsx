// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import { parseVerifierKey } from '../../../src/verifier/checkpoint.ts';
import { tiledSource, type LogSource } from '../../../src/verifier/source.ts';
import { verifyLog, type VerifyReport } from '../../../src/verifier/verify.ts';
import { useView } from '../api.ts';
import { Chip, Code, Id, lasting, Page, Time, Waiting } from '../parts.tsx';
import { To } from '../router.tsx';

type Recorder = {
  readonly state: string; readonly code: string | null; readonly entries: number; readonly name: string;
  readonly checkpointSize: number | null; readonly checkpointAt: number | null; readonly key: string | null; readonly checkpoint: string | null;
  readonly cosignedSize: number | null; readonly cosignedAt: number | null; readonly cosignedAgeMs: number | null;
  readonly witnesses: readonly { readonly name?: string; readonly state?: string }[];
};

/** How the record stands, and its verification in this browser. */
export function RecorderView() {
  const loaded = useView<Recorder>('/api/views/recorder', 5_000);
  return (
    <Page title="Recorder" lead="An append-only log under a signed tree. You need not believe the node: verify it here, or with maso-verify anywhere."
      actions={<To place="/log">Search the record</To>}>
      <Waiting loaded={loaded} what="the recorder">
        {(recorder) => (
          <>
            <section className="panel">
              <table className="facts"><tbody>
                <tr><th scope="row">State</th><td><Chip tone={recorder.state === 'available' ? 'good' : 'bad'}>{recorder.state}</Chip> {recorder.code !== null && <Code code={recorder.code} />}</td></tr>
                <tr><th scope="row">Entries</th><td className="number">{recorder.entries.toLocaleString()}</td></tr>
                <tr><th scope="row">Newest checkpoint</th><td>{recorder.checkpointSize === null ? 'none yet' : <>over {recorder.checkpointSize.toLocaleString()} entries, <Time at={recorder.checkpointAt} withDay /></>}</td></tr>
                <tr><th scope="row">Cosigned</th><td>{recorder.witnesses.length === 0
                  ? 'No witness cosigns. Who can write the state directory could rewrite the record before anybody looked.'
                  : recorder.cosignedAgeMs === null ? 'not yet' : `${lasting(recorder.cosignedAgeMs)} ago, over ${recorder.cosignedSize ?? 0} entries`}</td></tr>
                <tr><th scope="row">Name</th><td><Id value={recorder.name} /></td></tr>
              </tbody></table>
            </section>
            <Verify recorder={recorder} />
          </>
        )}
      </Waiting>
    </Page>
  );
}

const runLength = 5_000;

/** The log as the node serves it, byte by byte; nothing that it says is believed. */
function servedSource(): LogSource {
  const fetchBytes = async (path: string): Promise<Uint8Array | null> => {
    const response = await fetch(`/api/log/file?path=${encodeURIComponent(path)}`);
    if (response.status === 404) return null;
    if (!response.ok) throw new Error(`The node answered ${response.status}.`);
    return new Uint8Array(await response.arrayBuffer());
  };
  return {
    ...tiledSource(fetchBytes),
    entries: async function* (size) {
      for (let from = 0; from < size; from += runLength) {
        const response = await fetch(`/api/log/lines?from=${from}&to=${Math.min(size, from + runLength)}`);
        if (!response.ok) throw new Error(`The node answered ${response.status}.`);
        const run = linesIn(new Uint8Array(await response.arrayBuffer()));
        if (run.length === 0) return;
        yield run;
      }
    },
  };
}

function linesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0x0a, start);
    if (end < 0) return [...lines, bytes.subarray(start)];
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return lines;
}

function Verify({ recorder }: { readonly recorder: Recorder }) {
  const [key, setKey] = useState(recorder.key ?? '');
  const [read, setRead] = useState<number | null>(null);
  const [report, setReport] = useState<VerifyReport | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const isOwn = key.trim() === (recorder.key ?? '');
  const run = async (): Promise<void> => {
    setReport(null);
    setFailure(null);
    setRead(0);
    try {
      const log = parseVerifierKey(key);
      if (log === null) throw new Error('This is no verifier key of a log.');
      const made = await verifyLog({
        source: servedSource(), log,
        checkpoints: recorder.checkpoint === null ? [] : [recorder.checkpoint],
        progress: setRead,
      });
      setReport(made);
    } catch (cause) {
      // Not verified is said as such, and never as good.
      setFailure(cause instanceof Error ? cause.message : 'unknown');
    } finally {
      setRead(null);
    }
  };
  return (
    <section className="panel" aria-labelledby="verify">
      <h2 id="verify">Verify in this browser</h2>
      <p>The stand-alone verifier reads every entry, rebuilds the tree and compares it with the signed checkpoints.</p>
      <label htmlFor="key">Verifier key of the log</label>
      <input id="key" className="wide" value={key} onChange={(event) => setKey(event.target.value)} />
      <p className={isOwn ? 'doubt-says' : 'quiet'}>{isOwn
        ? 'This key came from the node itself. For a proof against the node, paste the key that you noted when the mesh was founded.'
        : 'A key of your own: what holds under it, the node cannot have rewritten.'}</p>
      <button type="button" className="primary" disabled={read !== null} onClick={() => void run()}>
        {read === null ? 'Verify every entry' : `Reading … ${read.toLocaleString()} entries`}
      </button>
      {failure !== null && <p className="state bad" role="alert">Not verified: {failure}</p>}
      {report !== null && (
        <div className={`state ${report.ok ? 'good' : 'bad'}`} role="status">
          <strong>{report.ok ? 'The record holds.' : 'The record does not hold.'}</strong>
          <span>{report.entries.toLocaleString()} entries read, {report.covered.toLocaleString()} of them under a good checkpoint, {report.findingsTotal} findings.</span>
          {report.findings.slice(0, 20).map((found, index) => <span key={index}><code>{found.code}</code> at entry {found.sequence}</span>)}
        </div>
      )}
      <p className="quiet">The page itself comes from the node. Whoever does not trust it runs <code>maso-verify</code> from the package on a machine of their own.</p>
    </section>
  );
}
