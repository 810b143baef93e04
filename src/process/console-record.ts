// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { controlMap } from '../console/control-map.ts';
import { defaultPaceSettings } from '../mesh/pace-settings.ts';
import { isResident } from '../mesh/spawn.ts';
import type { JsonObject } from '../message/json.ts';
import type { ViewsGround } from './console-views.ts';
import { recorderKeyFile } from './node-recorder.ts';

/** Entries that the map of controls looks back over. */
const lookedBack = 5_000;

/** What the browser needs to verify the log by itself, and how the recorder stands. */
export async function recorderView({ foundations, directories }: ViewsGround): Promise<JsonObject> {
  const { recorder, cosigner } = foundations;
  const { state, code, checkpointSize, checkpointAt } = recorder.status();
  const text = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);
  return {
    state, code, checkpointSize, checkpointAt,
    entries: recorder.size(),
    name: recorder.logName,
    key: (await text(join(directories.checkpoints, recorderKeyFile)))?.trim() ?? null,
    checkpoint: await text(join(directories.checkpoints, 'checkpoint')),
    cosignedSize: cosigner.cosignedSize,
    cosignedAt: cosigner.cosignedAt,
    cosignedAgeMs: cosigner.ageMs(),
    witnesses: cosigner.statuses().map((one) => ({ ...one })),
  };
}

/** The map of controls, each in the state it is in, over the newest entries of the log. */
export async function controlsView({ parts, foundations }: ViewsGround): Promise<JsonObject> {
  const { recorder, cosigner, live } = foundations;
  const { mesh } = live;
  const size = recorder.size();
  const seen = new Map<string, number>();
  const note = (name: string): void => void seen.set(name, (seen.get(name) ?? 0) + 1);
  for await (const entry of recorder.read(Math.max(0, size - lookedBack), size)) {
    note(entry.kind);
    for (const { control } of entry.verdicts) note(control);
  }
  const agents = [...mesh.agents.values()].filter(isResident);
  const lines = [...parts.busContext.connected.values()];
  const ageMs = cosigner.ageMs();
  const { state } = recorder.status();
  const map = controlMap({
    deselected: new Map(mesh.deselected.map(({ id, by, reason }) => [id, { by, reason }])),
    seen,
    firewall: mesh.firewall.model !== 'none',
    judge: mesh.judge !== undefined && mesh.judge !== null,
    pace: true,
    observer: (mesh.pace ?? defaultPaceSettings).observer !== null,
    workflows: mesh.workflows?.size ?? 0,
    recorder: state === 'available' ? 'ready' : state,
    witnesses: cosigner.statuses().length,
    witnessed: ageMs !== null && ageMs < (mesh.recorder?.witnessAgeMaxMs ?? 60_000),
    exporters: mesh.exporters?.size ?? 0,
    webhooks: mesh.oversight?.webhooks.length ?? 0,
    probesPerDay: mesh.oversight?.probesPerDay ?? 0,
    knowledge: mesh.knowledge?.size ?? 0,
    memory: (mesh.memory ?? null) !== null,
    caps: mesh.bounds.task.size > 0 || [...mesh.actions.values()].some(({ caps }) => caps.size > 0),
    isolation: lines.every(({ isolation }) => isolation !== 'none'),
    oispecs: agents.filter(({ oispec }) => oispec !== null).length,
    agents: agents.length,
    operators: parts.approvals.operators.size,
    tools: {
      all: mesh.tools.size,
      pinned: [...mesh.tools.values()].filter(({ pins }) => pins !== null).length,
    },
  });
  return { lines: map as unknown as JsonObject['lines'] ?? [], lookedBack: Math.min(size, lookedBack) };
}
