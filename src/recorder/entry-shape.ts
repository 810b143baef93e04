// SPDX-License-Identifier: Apache-2.0
import { isJsonObject } from '../message/json.ts';
import type { JsonObject } from '../message/json.ts';
import type { EntryDraft, EntryKind } from './entry.ts';

const kinds: { readonly [kind in EntryKind]: true } = {
  'mesh.started': true,
  'mesh.stopped': true,
  'identity.issued': true,
  'identity.refused': true,
  'identity.revoked': true,
  'identity.reinstated': true,
  'mandate.revoked': true,
  'task.ended': true,
  'agent.spawned': true,
  'agent.ended': true,
  'policy.signed': true,
  'workflow.proposed': true,
  'workflow.changed': true,
  'workflow.refused': true,
  'policy.effective': true,
  'session.opened': true,
  'session.ended': true,
  'task.started': true,
  'message.outbound': true,
  'message.admitted': true,
  'message.refused': true,
  'message.delivered': true,
  'request.reviewed': true,
  'approval.held': true,
  'approval.decided': true,
  'approval.expired': true,
  'tool.intent': true,
  'tool.outcome': true,
  'tool.in-doubt': true,
  'tool.settled': true,
  'tool.refused': true,
  'model.called': true,
  'memory.written': true,
  'memory.read': true,
  'knowledge.read': true,
  'knowledge.ingested': true,
  'knowledge.changed': true,
  'judge.called': true,
  'judge.ruled': true,
  'judge.calibrated': true,
  'workflow.evaluated': true,
  'indicator.raised': true,
  'pace.changed': true,
  'pace.stop': true,
  'pace.proposed': true,
  'anomaly.raised': true,
  'observer.tested': true,
  'pace.clamped': true,
  'pace.reported': true,
  'pace.undone': true,
  'pace.spread': true,
  'breaker.changed': true,
  'refusals.counted': true,
  'payload.epoch': true,
  'payload.kept': true,
  'payload.asked': true,
  'payload.opened': true,
  'payload.erased': true,
  'record.held': true,
  'record.released': true,
  'record.pruned': true,
  'record.repeated': true,
  'recorder.unavailable': true,
  'recorder.recovered': true,
};

const draftMembers = [
  'kind',
  'id',
  'at',
  'actor',
  'task',
  'message',
  'causedBy',
  'outcome',
  'code',
  'verdicts',
  'tookUs',
  'detail',
];
const verdictMembers = ['outcome', 'control', 'version', 'tookUs', 'findings'];
const findingMembers = ['code', 'rule', 'path', 'start', 'end', 'digest'];

const idPattern = /^[!-~]{1,160}$/;
const codePattern = /^[A-Z][A-Z0-9_-]{0,63}$/;
const causesMax = 256;
const verdictsMax = 64;
const findingsMax = 1024;
const textLengthMax = 1024;

/** True when the value is an entry draft and nothing else: no unknown member at any level. */
export function isEntryDraft(value: unknown): value is EntryDraft {
  return isJsonObject(value) && hasMembers(value, draftMembers) && draftMembersFit(value);
}

/** The draft's own members, wherever they stand; other members of the object are not looked at. */
export function draftMembersFit(value: JsonObject): boolean {
  const { kind, causedBy, verdicts, tookUs } = value;
  return (
    typeof kind === 'string' &&
    Object.hasOwn(kinds, kind) &&
    isId(value['id']) &&
    isAmount(value['at']) &&
    isId(value['actor']) &&
    (value['task'] === null || isId(value['task'])) &&
    (value['message'] === null || isId(value['message'])) &&
    isList(causedBy, causesMax, isId) &&
    (value['outcome'] === null || isOutcome(value['outcome'])) &&
    (value['code'] === null || isCode(value['code'])) &&
    isList(verdicts, verdictsMax, isVerdict) &&
    (tookUs === null || isAmount(tookUs)) &&
    isJsonObject(value['detail'])
  );
}

export function hasMembers(value: JsonObject, members: readonly string[]): boolean {
  return (
    Object.keys(value).length === members.length &&
    members.every((member) => Object.hasOwn(value, member))
  );
}


function isVerdict(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    hasMembers(value, verdictMembers) &&
    isOutcome(value['outcome']) &&
    isId(value['control']) &&
    isText(value['version']) &&
    isAmount(value['tookUs']) &&
    isList(value['findings'], findingsMax, isFinding)
  );
}

function isFinding(value: unknown): boolean {
  return (
    isJsonObject(value) &&
    hasMembers(value, findingMembers) &&
    isText(value['code']) &&
    isText(value['rule']) &&
    (value['path'] === null || isText(value['path'])) &&
    (value['start'] === null || isAmount(value['start'])) &&
    (value['end'] === null || isAmount(value['end'])) &&
    (value['digest'] === null || isText(value['digest']))
  );
}

function isList(value: unknown, lengthMax: number, fits: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.length <= lengthMax && value.every(fits);
}

function isId(value: unknown): boolean {
  return typeof value === 'string' && idPattern.test(value);
}

function isCode(value: unknown): boolean {
  return typeof value === 'string' && codePattern.test(value);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value.length <= textLengthMax;
}

function isOutcome(value: unknown): boolean {
  return value === 'GO' || value === 'NO-GO' || value === 'ESCALATE';
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
