// SPDX-License-Identifier: Apache-2.0
import type { RecordIndex } from '../adapters/record-index-sqlite.ts';
import type { Viewer } from '../console/console-api.ts';
import type { JsonObject } from '../message/json.ts';
import type { RecordedEntry } from '../recorder/entry.ts';
import type { ViewsGround } from './console-views.ts';

const keptMax = 2_000;
const openingsMax = 200;

/**
 * Which payloads of a task are kept, under whose custody, who asked for them and who opened them. It
 * holds no payload: the console has no key, and opening is an order on record that custodians answer.
 */
export async function payloadsView(
  task: string,
  viewer: Viewer,
  index: RecordIndex,
  { foundations }: ViewsGround,
): Promise<JsonObject> {
  const forensic = foundations.live.mesh.recorder?.forensic ?? null;
  const kept = await index.query({ task, kind: 'payload.kept' }, keptMax);
  const epochs = new Set(kept.map(({ detail }) => Number(detail['epoch'])));
  const erased = await index.query({ task, kind: 'payload.erased' }, 1);
  const asked = (await index.query({ kind: 'payload.asked' }, openingsMax))
    .filter(({ detail }) => epochs.has(Number(detail['epoch'])));
  const opened = (await index.query({ kind: 'payload.opened' }, openingsMax))
    .filter(({ detail }) => asked.some((one) => one.detail['order'] === detail['subject']));
  const ofMessage = new Map(kept.map((entry) => [entry.message ?? '', Number(entry.detail['epoch'])]));
  return {
    mayOpen: viewer.may('open'),
    custodians: forensic === null ? null : {
      names: forensic.custodians.map(({ name }) => name), threshold: forensic.threshold, keep: [...forensic.keep],
    },
    messages: [...ofMessage].map(([message, epoch]) => ({ message, epoch })),
    erased: erased.length > 0,
    asked: asked.map((entry) => ({ ...orderOf(entry), epoch: Number(entry.detail['epoch']) })),
    opened: opened.map((entry) => {
      const { custodians } = entry.detail;
      return { ...orderOf(entry), custodians: Array.isArray(custodians) ? custodians.map(String) : [] };
    }),
  };
}

function orderOf({ at, detail }: RecordedEntry): JsonObject {
  const { operator, reason } = detail;
  return { at, operator: String(operator), reason: String(reason) };
}
