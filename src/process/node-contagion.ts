// SPDX-License-Identifier: Apache-2.0
import type { Lineage } from '../contagion/lineage.ts';
import type { JsonObject } from '../message/json.ts';

/** A lineage as the control API tells it: who, when and by which message; never the text. */
export function shownLineage(lineage: Lineage): JsonObject {
  const { id, patientZero, origins, firstAtMs, generation, convicted, holders, spreaders } = lineage;
  return {
    lineage: id,
    patientZero,
    origins: [...origins],
    firstAt: firstAtMs,
    generations: generation,
    reached: holders.size - 1,
    spreaders: [...spreaders],
    convicted,
    path: [...holders].map(([agent, { from, message, generation: after, atMs }]) => ({
      agent,
      from,
      message,
      generation: after,
      at: atMs,
    })),
  };
}
