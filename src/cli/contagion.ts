// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../message/json.ts';
import { isJsonObject } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode } from './control.ts';
import { stateDirectoryOf } from './state.ts';

/** `maso contagion`: texts that travel between agents: who had them first, their path, their reach. */
export async function contagion(
  options: { readonly state: string; readonly json: boolean },
  io: CommandIo,
): Promise<number> {
  const answer = await askNode(stateDirectoryOf(options.state, null), 'GET', '/v1/contagion');
  const lineages = objects(answer.body['lineages']);
  if (options.json) {
    io.out(JSON.stringify({ lineages }));
    return 0;
  }
  if (lineages.length === 0) io.out('No untrusted text has been passed on from agent to agent.');
  for (const lineage of lineages) {
    const state = lineage['convicted'] === true ? 'STOPPED' : 'followed';
    io.out(`text ${shown(lineage['lineage'])}  ${state}`);
    const origins = list(lineage['origins']).map(shown).join(', ');
    io.out(`  first sent by ${shown(lineage['patientZero'])}, which had read ${origins || 'nothing untrusted'}`);
    const passedOn = `passed on ${shown(lineage['generations'])} deep`;
    io.out(`  reached ${shown(lineage['reached'])} agents, ${passedOn}`);
    for (const step of objects(lineage['path'])) {
      if (step['from'] === null) continue;
      io.out(`    ${shown(step['from'])} -> ${shown(step['agent'])}  ${shown(step['message'])}`);
    }
  }
  return 0;
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}

function objects(value: JsonValue | undefined): readonly JsonObject[] {
  return list(value).filter(isJsonObject);
}

function shown(value: JsonValue | undefined): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
