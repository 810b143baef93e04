// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolders } from '../adapters/folders.ts';
import { loadOrCreateOperatorKey } from '../adapters/operator-keys.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { openRecordCheckpointFile } from '../adapters/record-checkpoint-file.ts';
import { openRecordLogFiles } from '../adapters/record-log-files.ts';
import { httpWitness } from '../adapters/witness-client-http.ts';
import type { Clock } from '../message/clock.ts';
import { mintUlid } from '../message/identifiers.ts';
import type { RecorderSettings } from '../mesh/recorder-settings.ts';
import { logVerifierKey } from '../recorder/checkpoint.ts';
import { Cosigner } from '../recorder/cosigner.ts';
import type { WitnessStatus } from '../recorder/cosigner.ts';
import { openRecorder, type FlightRecorder } from '../recorder/recorder.ts';
import type { RecordLog } from '../recorder/record-log.ts';
import { ed25519Signer } from '../recorder/signed-note.ts';
import { parseVerifierKey } from '../verifier/checkpoint.ts';
import type { VerifierKey } from '../verifier/checkpoint.ts';
import type { nodeDirectories } from './directories.ts';

/** The public half of the recorder's key, for whoever verifies, beside the newest checkpoint. */
export const recorderKeyFile = 'recorder.vkey';
/** The newest checkpoint with the lines of its witnesses, beside it. */
export const cosignedFile = 'cosigned';

export type NodeRecorder = { readonly recorder: FlightRecorder; readonly cosigner: Cosigner };

type RecorderPlace = {
  readonly directories: ReturnType<typeof nodeDirectories>;
  readonly settings: Pick<RecorderSettings, 'witnesses' | 'witnessAgeMaxMs'>;
  readonly clock: Clock;
  readonly log: (line: string) => void;
};

/**
 * Opens the node's flight recorder: segment files and tiles, its own key, checkpoints outside the
 * log, and whoever is to cosign them.
 */
export async function openNodeRecorder(place: RecorderPlace): Promise<NodeRecorder> {
  const { directories, clock, log } = place;
  const key = await loadOrCreateOperatorKey(join(directories.node, 'recorder.jwk'));
  makeFolders(directories.checkpoints, 0o700);
  const checkpoint = await openRecordCheckpointFile({
    directory: directories.checkpoints,
    logDirectory: directories.log,
  });
  const files = await openRecordLogFiles({ directory: directories.log });
  const signer = ed25519Signer(key.privateKey);
  const verifierKey = logVerifierKey(files.name, signer.publicKey);
  await writeFile(join(directories.checkpoints, recorderKeyFile), `${verifierKey}\n`);
  const cosigner = await openCosigner(place, files, verifiedKey(verifierKey));
  const recorder = await openRecorder({
    log: files,
    clock,
    random: systemRandom,
    timer: (delayMs, run) => {
      const timer = setTimeout(run, delayMs);
      timer.unref();
      return () => clearTimeout(timer);
    },
    signer,
    writeCheckpoint: checkpoint.write,
    offerCheckpoint: (signed, size) => cosigner.offer(signed, size),
    lastCheckpoint: await checkpoint.read(),
  }).catch(async (failure: unknown) => {
    await files.close();
    throw failure;
  });
  recorder.onState((status) => {
    log(`recorder: ${status.state}${status.code === null ? '' : ` (${status.code})`}`);
  });
  watchAge({ ...place, recorder, cosigner });
  return { recorder, cosigner };
}

async function openCosigner(
  { directories, settings, clock, log }: RecorderPlace,
  files: RecordLog,
  logKey: VerifierKey,
): Promise<Cosigner> {
  const cosigned = await openRecordCheckpointFile({
    directory: directories.checkpoints,
    logDirectory: directories.log,
    name: cosignedFile,
  });
  return new Cosigner({
    log: files,
    clock,
    logKey,
    ageMaxMs: settings.witnessAgeMaxMs,
    witnesses: settings.witnesses.map(({ url, key: text }) => {
      const key = verifiedKey(text);
      return { key, witness: httpWitness(key.name, url) };
    }),
    keep: cosigned.write,
    changed: ({ name, code }: WitnessStatus) => {
      log(`recorder: witness ${name} ${code === null ? 'cosigns' : `does not cosign (${code})`}`);
    },
  });
}

const lookEveryMs = 1_000;

/** Raises the alarm once per episode: on record, where whoever reads the log sees it too. */
function watchAge({
  settings,
  recorder,
  cosigner,
  clock,
  log,
}: RecorderPlace & NodeRecorder): void {
  if (settings.witnesses.length === 0) return;
  const raised = new Set<string>();
  const timer = setInterval(() => {
    const alarms = cosigner.alarms();
    for (const code of raised) {
      if (!alarms.some((alarm) => alarm === code)) raised.delete(code);
    }
    for (const code of alarms) {
      if (raised.has(code)) continue;
      raised.add(code);
      log(`recorder: ALARM ${code}`);
      recorder.record([alarmEntry(code, cosigner, clock)]).catch(() => {
        // Said in the operator log above; it is recorded with the next episode.
        raised.delete(code);
      });
    }
    if (recorder.closed()) clearInterval(timer);
  }, lookEveryMs);
  timer.unref();
}

function alarmEntry(code: string, cosigner: Cosigner, clock: Clock) {
  return {
    kind: 'indicator.raised',
    id: mintUlid(clock, systemRandom),
    at: clock.nowMs(),
    actor: 'node',
    task: null,
    message: null,
    causedBy: [],
    outcome: null,
    code,
    verdicts: [],
    tookUs: null,
    detail: { cosignedSize: cosigner.cosignedSize, cosignedAt: cosigner.cosignedAt },
  } as const;
}

function verifiedKey(text: string): VerifierKey {
  const key = parseVerifierKey(text);
  if (key === null) throw new Error('A verifier key of this node is not one.');
  return key;
}
