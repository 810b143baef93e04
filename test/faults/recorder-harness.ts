// SPDX-License-Identifier: Apache-2.0
import { RecorderError } from '../../src/recorder/entry.ts';
import type { RecordedEntry, RecorderErrorCode } from '../../src/recorder/entry.ts';
import type { AppendOptions } from '../../src/recorder/record-log.ts';
import { MemoryRecordLog } from '../../src/recorder/record-log-memory.ts';
import type { RecorderLimits } from '../../src/recorder/recorder-options.ts';
import { openRecorder } from '../../src/recorder/recorder.ts';
import type { FlightRecorder } from '../../src/recorder/recorder.ts';
import { verifyLog } from '../../src/verifier/verify.ts';
import { collect, fakeClock, fakeRandom, fakeTimer, memorySource, testKey } from './recorder-fixture.ts';

/** A log whose disk can fail, fill up, hang, and lose its reserve. */
export class FaultyLog extends MemoryRecordLog {
  fault: RecorderErrorCode | null = null;
  reserve = true;
  torn = 0;
  appends = 0;
  gate: Promise<void> | null = null;

  override tornBytes(): number {
    return this.torn;
  }

  override async append(lines: readonly string[], options: AppendOptions): Promise<void> {
    this.appends += 1;
    await this.gate;
    const { fault } = this;
    const usesReserve = fault === 'RECORDER_FULL' && options.privileged && this.reserve;
    if (fault !== null && !usesReserve) throw new RecorderError(fault, 'The test failed.');
    await super.append(lines, options);
  }
}

/** A recorder with everything around it faked: log, clock, timer and the place of the checkpoint. */
export class RecorderHarness {
  readonly key = testKey();
  readonly clock = fakeClock();
  readonly timer = fakeTimer();
  readonly checkpoints: string[] = [];
  log = new FaultyLog('log-of-the-recorder-test');
  checkpointFault = false;

  open(
    limits: Partial<RecorderLimits> = {},
    lastCheckpoint: string | null = this.checkpoints.at(-1) ?? null,
  ): Promise<FlightRecorder> {
    return openRecorder({
      log: this.log,
      clock: this.clock,
      random: fakeRandom(),
      timer: this.timer.timer,
      signer: this.key.signer,
      lastCheckpoint,
      limits,
      writeCheckpoint: async (checkpoint) => {
        if (this.checkpointFault) throw new Error('The checkpoint disk of the test failed.');
        this.checkpoints.push(checkpoint);
      },
    });
  }

  /** The same log as another process finds it. */
  restart(): void {
    this.log = Object.assign(new FaultyLog(this.log.name), {
      lines: this.log.lines,
      tiles: this.log.tiles,
      checkpoint: this.log.checkpoint,
    });
  }

  entries(recorder: FlightRecorder): Promise<RecordedEntry[]> {
    return collect(recorder.read(0, Number.POSITIVE_INFINITY));
  }

  async verified(): Promise<boolean> {
    const report = await verifyLog({
      source: memorySource(this.log),
      log: this.key.verifierKey(this.log.name),
      checkpoints: this.checkpoints,
    });
    return report.ok && report.findingsTotal === 0;
  }
}
