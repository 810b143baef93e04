// SPDX-License-Identifier: Apache-2.0
import type { BusClient } from '../adapters/bus-client-ws.ts';
import type { SidecarRecorder } from '../sidecar/recording.ts';
import type { SidecarIdentity } from './sidecar-identity.ts';

/** A changed identity takes effect with a new line; files that are refused go on record. */
export function watchIdentity({ identity, link, recorder, version, log, report }: {
  readonly identity: SidecarIdentity;
  readonly link: BusClient;
  readonly recorder: SidecarRecorder;
  /** Of the policy in force here. */
  readonly version: () => number;
  readonly log: (line: string) => void;
  readonly report: (failure: unknown) => void;
}): void {
  identity.watch({
    changed: () => link.reconnect(),
    refused: (entry) => {
      log(`identity files refused (${entry.code})`);
      recorder.under(version()).record([entry]).catch(report);
    },
  });
}
