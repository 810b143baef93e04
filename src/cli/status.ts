// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../message/json.ts';
import type { CommandIo } from './check.ts';
import { askNode } from './control.ts';
import { stateDirectoryOf } from './state.ts';
import { printable, wrapped } from './text-lines.ts';

type StatusOptions = { readonly state: string; readonly json: boolean };

/** What is asked of a node to say how it stands. */
export type Standing = {
  readonly status: JsonObject;
  readonly agents: readonly JsonObject[];
  /** Held actions, the nearest deadline first; at most a few. */
  readonly waiting: readonly JsonObject[];
  readonly waitingInAll: number;
  /** Changes of workflows that wait. */
  readonly changes: readonly JsonObject[];
  /** What of PACE is not as usual. */
  readonly pace: { readonly units: readonly JsonObject[]; readonly stops: readonly JsonObject[] };
};

const waitingShown = 5;

export async function askStanding(state: string): Promise<Standing> {
  const [status, agents, waiting, workflows, pace] = await Promise.all([
    askNode(state, 'GET', '/v1/status'),
    askNode(state, 'GET', '/v1/agents'),
    askNode(state, 'GET', `/v1/approvals?state=pending&limit=${waitingShown}`),
    askNode(state, 'GET', '/v1/workflows'),
    askNode(state, 'GET', '/v1/pace'),
  ]);
  return {
    status: status.body,
    agents: objectsIn(agents.body['agents']),
    waiting: objectsIn(waiting.body['approvals']),
    waitingInAll: Number(waiting.body['total'] ?? 0),
    changes: objectsIn(workflows.body['changes']).filter((change) => change['state'] === 'held'),
    pace: {
      units: objectsIn(pace.body['units']).filter((unit) => unit['phase'] !== 'PRIMARY'),
      stops: objectsIn(pace.body['stops']),
    },
  };
}

/** `maso status`: how the mesh stands, on one screen. Exit 1 when something needs a person. */
export async function status(options: StatusOptions, io: CommandIo): Promise<number> {
  const standing = await askStanding(stateDirectoryOf(options.state, null));
  if (options.json) io.out(JSON.stringify(standing));
  else for (const line of standingLines(standing)) io.out(line);
  return needsPerson(standing) ? 1 : 0;
}

export function needsPerson({ status: said, agents, waitingInAll, changes, pace }: Standing): boolean {
  const recorder = objectOf(said['recorder']);
  const keysLeft = Number(objectOf(said['kms'])['left'] ?? 0);
  return keysLeft > 0 || waitingInAll + changes.length + pace.units.length + pace.stops.length > 0 || recorder['state'] !== 'available' ||
    agents.some((agent) => agent['revoked'] === true || agent['connectedSince'] === null);
}

/** At most 80 columns, every state in a word. */
export function standingLines(standing: Standing): readonly string[] {
  const { status: said, agents, waiting, waitingInAll, changes, pace } = standing;
  const recorder = objectOf(said['recorder']);
  const policy = objectOf(said['policy']);
  const away = agents.filter((agent) => agent['connectedSince'] === null && agent['revoked'] !== true);
  const revoked = agents.filter((agent) => agent['revoked'] === true);
  const cosigned = recorder['cosignedAgeMs'];
  return [
    `agents     ${agents.length - away.length - revoked.length} of ${agents.length} connected`,
    ...(away.length === 0 ? [] : named('away', away)),
    ...(revoked.length === 0 ? [] : named('revoked', revoked)),
    `waiting    ${waitingInAll} held action${waitingInAll === 1 ? '' : 's'}`,
    ...waiting.flatMap(waitingLine),
    ...changes.slice(0, waitingShown).flatMap(changeLine),
    ...paceLines(pace),
    `record     ${String(recorder['state'])}, ${String(recorder['entries'])} entries`,
    typeof cosigned === 'number' && objectsIn(recorder['witnesses']).length > 0
      ? `witness    cosigned ${Math.round(cosigned / 1000)} s ago`
      : 'witness    none',
    ...keysLine(objectOf(said['kms'])),
    `queue      ${String(said['queued'])} messages on their way`,
    `policy     version ${String(policy['version'])}, ${String(policy['digest']).slice(0, 12)}`,
  ];
}

/** Only where a key is under an earlier KMS. */
function keysLine({ left, retryAt }: JsonObject): readonly string[] {
  if (typeof left !== 'number' || left === 0) return [];
  const again = new Date(Number(retryAt)).toISOString().slice(11, 19);
  return [`keys       ${left} under an earlier KMS, tried again at ${again}Z`];
}

function named(label: string, agents: readonly JsonObject[]): readonly string[] {
  const names = agents.map((agent) => String(agent['name']));
  const rest = names.length > 20 ? ` and ${names.length - 20} more` : '';
  return wrapped(names.slice(0, 20).join(', ') + rest, `  ${label.padEnd(8)} `);
}

function waitingLine(approval: JsonObject): readonly string[] {
  const hold = objectOf(approval['hold']);
  const until = new Date(Number(hold['expiresAt'])).toISOString().slice(11, 19);
  const id = String(approval['id']).slice(0, 12);
  return wrapped(
    `${String(hold['risk'])} ${String(hold['action'])} for ${printable(String(hold['requester']))}, until ${until}Z`,
    `  ${id} `,
  );
}

function paceLines({ units, stops }: Standing['pace']): readonly string[] {
  const moved = units.length + stops.length;
  if (moved === 0) return ['pace       PRIMARY, as usual'];
  return [
    `pace       ${moved} not as usual`,
    ...stops.slice(0, waitingShown).flatMap((stop) => {
      const until = Number(stop['endsAt'] ?? NaN);
      const end = Number.isNaN(until) ? '' : `, until ${new Date(until).toISOString().slice(11, 19)}Z`;
      return wrapped(
        `${String(stop['kind'])} of ${unitText(stop)}, ${String(stop['stage'])}, by ${String(stop['by'])}${end}`,
        `  ${String(stop['id']).slice(0, 12)} `,
      );
    }),
    ...units.slice(0, waitingShown).flatMap((unit) =>
      wrapped(`${String(unit['phase'])} ${String(unit['code'] ?? '')}`, `  ${unitText(unit)} `)),
  ];
}

function unitText(of: JsonObject): string {
  return of['unit'] === 'mesh:mesh' ? 'the mesh' : String(of['unit']);
}

function changeLine(change: JsonObject): readonly string[] {
  const until = new Date(Number(change['expiresAt'])).toISOString().slice(11, 19);
  return wrapped(
    `change of workflow ${String(change['workflow'])} by ${String(change['agent'])}, until ${until}Z`,
    `  ${String(change['id']).slice(0, 12)} `,
  );
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one): one is JsonObject => isJsonObject(one as JsonValue)) : [];
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return value !== undefined && isJsonObject(value) ? value : {};
}
