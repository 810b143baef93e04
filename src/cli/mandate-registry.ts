// SPDX-License-Identifier: Apache-2.0
import { systemClock } from '../adapters/clock-system.ts';
import { isDigest, isUlid } from '../message/identifiers.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { changeRevocation, type RevocationOptions } from './agent.ts';
import type { CommandIo } from './check.ts';
import { askNode } from './control.ts';
import { stateDirectoryOf } from './state.ts';

export type MandateListOptions = {
  readonly state: string;
  readonly json: boolean;
  readonly task?: string;
};

export type MandateRevokeOptions = RevocationOptions & {
  /** Id of the mandate; or `task`, and not both. */
  readonly id?: string;
  readonly task?: string;
};

/** `maso mandate list`: who was given what for which task, newest first, and what became of it. */
export async function mandateList(options: MandateListOptions, io: CommandIo): Promise<number> {
  const { task } = options;
  const path = `/v1/mandates${task === undefined ? '' : `?task=${encodeURIComponent(task)}`}`;
  const answer = await askNode(stateDirectoryOf(options.state, null), 'GET', path);
  const mandates = objectsOf(answer.body['mandates']);
  if (options.json) {
    io.out(JSON.stringify({ mandates }));
    return 0;
  }
  const nowMs = systemClock().nowMs();
  for (const mandate of mandates) {
    io.out(`${text(mandate['id'])}  ${stateOf(mandate, nowMs)}`);
    io.out(`  ${textsOf(mandate['path']).join(' -> ')}  task ${text(mandate['task'])}`);
    io.out(`  ${textsOf(mandate['rights']).join(', ')}`);
  }
  return 0;
}

/** `maso mandate revoke`: one mandate with all that were narrowed from it, or all of one task. */
export async function mandateRevoke(options: MandateRevokeOptions, io: CommandIo): Promise<number> {
  const { id, task } = options;
  if ((id === undefined) === (task === undefined)) {
    io.err('Name a mandate or, with --task, a task.');
    return 2;
  }
  const isForm = task === undefined ? isDigest(id ?? '') : isUlid(task);
  if (!isForm) {
    io.err(task === undefined ? 'That is no id of a mandate.' : 'That is no id of a task.');
    return 2;
  }
  const target = task === undefined
    ? ({ kind: 'mandate', value: id ?? '' } as const)
    : ({ kind: 'task', value: task } as const);
  return changeRevocation({ op: 'revoke', target, lifts: null }, options, io);
}

function stateOf(mandate: JsonObject, nowMs: number): string {
  if (mandate['revoked'] === true) return 'REVOKED';
  if (mandate['taskEnded'] === true) return 'TASK ENDED';
  const { expiresAt } = mandate;
  const leftMs = typeof expiresAt === 'number' ? expiresAt - nowMs : Number.NaN;
  return leftMs > 0 ? `ends in ${Math.round(leftMs / 1000)} s` : 'expired';
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((one) => isJsonObject(one)) : [];
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null);
}
