// SPDX-License-Identifier: Apache-2.0
import type { EntryKind } from '../recorder/entry.ts';

/** OCSF 1.3.0 classes in use: uid, name and category. */
export const ocsfClasses = {
  detection: { uid: 2004, name: 'Detection Finding', category: 2, in: 'Findings' },
  authentication: {
    uid: 3002, name: 'Authentication', category: 3, in: 'Identity & Access Management',
  },
  entity: {
    uid: 3004, name: 'Entity Management', category: 3, in: 'Identity & Access Management',
  },
  lifecycle: {
    uid: 6002, name: 'Application Lifecycle', category: 6, in: 'Application Activity',
  },
  api: { uid: 6003, name: 'API Activity', category: 6, in: 'Application Activity' },
} as const;

export type OcsfClass = keyof typeof ocsfClasses;

/** How one kind of entry is shown outside: its OCSF class and activity, and whether it is a span. */
export type EntryClass = {
  readonly ocsf: OcsfClass;
  /** `activity_id` of the class; 99 is "Other", and then the kind is the activity's name. */
  readonly activity: number;
  readonly activityName: string;
  /** `span`: a step with a duration in its task's trace. `log`: a point in time. */
  readonly signal: 'span' | 'log';
};

const api = (signal: EntryClass['signal'], name: string): EntryClass =>
  ({ ocsf: 'api', activity: 99, activityName: name, signal });

/** One row for every kind of entry; the compiler asks for a row where a kind is added. */
export const entryClasses: { readonly [kind in EntryKind]: EntryClass } = {
  'mesh.started': { ocsf: 'lifecycle', activity: 3, activityName: 'Start', signal: 'log' },
  'mesh.stopped': { ocsf: 'lifecycle', activity: 4, activityName: 'Stop', signal: 'log' },
  'identity.issued': { ocsf: 'entity', activity: 6, activityName: 'Enroll', signal: 'log' },
  'identity.refused': { ocsf: 'authentication', activity: 1, activityName: 'Logon', signal: 'log' },
  'identity.revoked': { ocsf: 'entity', activity: 9, activityName: 'Disable', signal: 'log' },
  'identity.reinstated': { ocsf: 'entity', activity: 8, activityName: 'Enable', signal: 'log' },
  'workflow.proposed': { ocsf: 'entity', activity: 3, activityName: 'Update', signal: 'log' },
  'workflow.changed': { ocsf: 'entity', activity: 3, activityName: 'Update', signal: 'log' },
  'workflow.refused': { ocsf: 'entity', activity: 3, activityName: 'Update', signal: 'log' },
  'policy.signed': { ocsf: 'entity', activity: 3, activityName: 'Update', signal: 'log' },
  'policy.effective': { ocsf: 'entity', activity: 10, activityName: 'Activate', signal: 'log' },
  'agent.spawned': { ocsf: 'entity', activity: 1, activityName: 'Create', signal: 'log' },
  'agent.ended': { ocsf: 'entity', activity: 4, activityName: 'Delete', signal: 'log' },
  'mandate.revoked': { ocsf: 'entity', activity: 9, activityName: 'Disable', signal: 'log' },
  'task.ended': api('log', 'task.ended'),
  'session.opened': { ocsf: 'authentication', activity: 1, activityName: 'Logon', signal: 'log' },
  'session.ended': { ocsf: 'authentication', activity: 2, activityName: 'Logoff', signal: 'log' },
  'task.started': api('log', 'task.started'),
  'message.outbound': api('span', 'message.outbound'),
  'message.admitted': api('span', 'message.admitted'),
  'message.refused': api('span', 'message.refused'),
  'message.delivered': api('span', 'message.delivered'),
  'request.reviewed': api('span', 'request.reviewed'),
  'approval.held': api('log', 'approval.held'),
  'approval.decided': api('log', 'approval.decided'),
  'approval.expired': api('log', 'approval.expired'),
  'tool.intent': api('log', 'tool.intent'),
  'tool.outcome': api('span', 'tool.outcome'),
  'tool.in-doubt': api('span', 'tool.in-doubt'),
  'tool.settled': api('log', 'tool.settled'),
  'tool.refused': api('span', 'tool.refused'),
  'model.called': api('span', 'model.called'),
  'judge.called': api('span', 'judge.called'),
  'judge.ruled': api('log', 'judge.ruled'),
  'judge.calibrated': api('log', 'judge.calibrated'),
  'workflow.evaluated': api('log', 'workflow.evaluated'),
  'memory.written': api('log', 'memory.written'),
  'memory.read': api('log', 'memory.read'),
  'knowledge.read': api('log', 'knowledge.read'),
  'knowledge.ingested': api('log', 'knowledge.ingested'),
  'knowledge.changed': api('log', 'knowledge.changed'),
  'indicator.raised': { ocsf: 'detection', activity: 1, activityName: 'Create', signal: 'log' },
  'pace.changed': { ocsf: 'detection', activity: 2, activityName: 'Update', signal: 'log' },
  'pace.stop': { ocsf: 'detection', activity: 2, activityName: 'Update', signal: 'log' },
  'observer.tested': api('log', 'observer.tested'),
  'anomaly.raised': { ocsf: 'detection', activity: 1, activityName: 'Create', signal: 'log' },
  'pace.proposed': { ocsf: 'detection', activity: 1, activityName: 'Create', signal: 'log' },
  'pace.clamped': api('log', 'pace.clamped'),
  'pace.reported': api('log', 'pace.reported'),
  'pace.undone': api('log', 'pace.undone'),
  'breaker.changed': { ocsf: 'detection', activity: 2, activityName: 'Update', signal: 'log' },
  'pace.spread': { ocsf: 'detection', activity: 2, activityName: 'Update', signal: 'log' },
  'refusals.counted': { ocsf: 'detection', activity: 1, activityName: 'Create', signal: 'log' },
  'payload.epoch': api('log', 'payload.epoch'),
  'payload.kept': api('log', 'payload.kept'),
  'payload.asked': api('log', 'payload.asked'),
  'payload.opened': api('log', 'payload.opened'),
  'payload.erased': api('log', 'payload.erased'),
  'record.held': api('log', 'record.held'),
  'record.released': api('log', 'record.released'),
  'record.repeated': api('log', 'record.repeated'),
  'record.pruned': api('log', 'record.pruned'),
  'recorder.unavailable': {
    ocsf: 'lifecycle', activity: 99, activityName: 'recorder.unavailable', signal: 'log',
  },
  'recorder.recovered': {
    ocsf: 'lifecycle', activity: 99, activityName: 'recorder.recovered', signal: 'log',
  },
};
