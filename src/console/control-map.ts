// SPDX-License-Identifier: Apache-2.0

/**
 * `on`: it acts, and the evidence says so. `partly`: some of what the framework asks for is there.
 * `off`: configured away, or nothing is configured for it. `deselected`: by name and reason in the
 * mesh file. `failing`: it should act and does not. `absent`: this build does not have it.
 */
export type StationState = 'on' | 'partly' | 'off' | 'deselected' | 'failing' | 'absent';

export type Station = {
  /** The framework's id of the control. */
  readonly id: string;
  readonly title: string;
  /** Autonomy tier from which on the framework asks for it. */
  readonly tier: 1 | 2 | 3;
  readonly state: StationState;
  /** Why it is in this state, or what of it is there. */
  readonly says: string;
  /** Part of the console that shows the evidence. */
  readonly evidence: string | null;
  /** Verdicts or entries that speak of it, in what the console has seen of the log; null: none can. */
  readonly seen: number | null;
};

export type Line = { readonly id: string; readonly name: string; readonly stations: readonly Station[] };

/** What the program knows of itself; nothing here is simulated. */
export type MapFacts = {
  readonly deselected: ReadonlyMap<string, { readonly by: string; readonly reason: string }>;
  /** Verdicts per control, and entries per kind, in the stretch of the log that was looked at. */
  readonly seen: ReadonlyMap<string, number>;
  readonly firewall: boolean;
  readonly judge: boolean;
  readonly pace: boolean;
  /** The mesh file names an observer. */
  readonly observer: boolean;
  readonly recorder: 'ready' | 'reserve' | 'unavailable';
  readonly witnesses: number;
  /** The newest cosigned checkpoint is younger than the mesh file asks for. */
  readonly witnessed: boolean;
  readonly exporters: number;
  readonly webhooks: number;
  readonly probesPerDay: number;
  readonly caps: boolean;
  readonly isolation: boolean;
  readonly oispecs: number;
  readonly workflows: number;
  readonly agents: number;
  readonly operators: number;
  readonly tools: { readonly all: number; readonly pinned: number };
};

type Row = readonly [
  id: string, title: string, tier: 1 | 2 | 3, evidence: string | null, seen: string | null,
  state: (facts: MapFacts) => readonly [StationState, string],
];

const on = (says: string) => (): readonly ['on', string] => ['on', says];
const absent = (says: string) => (): readonly ['absent', string] => ['absent', says];
const partly = (says: string) => (): readonly ['partly', string] => ['partly', says];

const lines: readonly (readonly [id: string, name: string, rows: readonly Row[]])[] = [
  ['PG', 'Prompt, goal and epistemic integrity', [
    ['PG-1.1', 'Every input is read by scanners', 1, 'log', 'scanner', on('Scanners read what agents send, receive and get from tools.')],
    ['PG-1.3', 'The task is fixed by who starts it', 1, 'log', null, on('A task and its goal are stamped by the sidecar and travel signed.')],
    ['PG-1.4', 'Messages are data, instruction or claim', 1, 'mesh', 'bus', on('Free text where a type is owed drops the connection.')],
    ['PG-2.1', 'Injection between agents is looked for', 2, 'log', 'semantic-firewall', ({ firewall }) =>
      firewall ? ['on', 'The semantic firewall reads every text.'] : ['off', 'No model is configured; every verdict says so.']],
    ['PG-2.2', 'The goal is watched over hops', 2, null, null, partly('The goal travels as a hash; drift from it is not scored.')],
    ['PG-2.5', 'Claims name where they come from', 2, 'log', null, on('Provenance is stamped by the sidecar, never believed from an agent.')],
  ]],
  ['IA', 'Identity and access', [
    ['IA-1.2', 'No credential is shared', 1, 'agents', 'identity.issued', on('One identity per agent and instance.')],
    ['IA-1.4', 'Rights are scoped', 1, 'mesh', 'policy-compliance', on('What no edge and no mandate allows is refused.')],
    ['IA-2.1', 'Agents have identities of their own', 2, 'agents', 'identity.issued', on('X.509-SVIDs with a SPIFFE id.')],
    ['IA-2.2', 'Credentials are short-lived', 2, 'agents', 'identity.issued', on('At most 60 minutes, renewed at half-life.')],
    ['IA-2.3', 'Both ends of the bus prove who they are', 2, 'agents', 'bus', on('Mutual TLS 1.3, and every message signed.')],
    ['IA-2.4', 'Rights do not pass on by themselves', 2, 'agents', 'policy-compliance', on('The rights of every principal in the causes bound a request.')],
    ['IA-3.3', 'Delegation is a signed contract', 3, 'agents', null, on('Mandates, narrowed at each hop, checked whole at the executor.')],
    ['IA-3.4', 'Revocation stops the next action', 3, 'agents', 'identity.revoked', on('Within a second where connected, else within the lease.')],
  ]],
  ['DP', 'Data protection', [
    ['DP-1.1', 'Data is classified', 1, 'mesh', null, on('Labels of classification and integrity on every message.')],
    ['DP-1.6', 'The class travels with the data', 1, 'log', 'bus', on('The sidecar stamps it, the bus checks clearance.')],
    ['DP-2.1', 'What leaks is found on the bus', 2, 'log', 'scanner', on('Secrets and personal data are looked for on both ends.')],
    ['DP-2.2', 'Retrieved text stays fresh and whole', 2, null, null, absent('No retrieval store is part of this build.')],
  ]],
  ['EC', 'Execution control', [
    ['EC-1.1', 'A person releases what cannot be undone', 1, 'approvals', 'approval.held', ({ operators }) =>
      operators > 0 ? ['on', 'Held actions wait for a signed decision over exactly that action.'] : ['failing', 'No operator can decide.']],
    ['EC-1.2', 'Tools are on a list', 1, 'mesh', 'tool.refused', on('Only the gate calls tools, and only listed ones.')],
    ['EC-1.3', 'Agents have rates', 1, 'log', 'bus', on('Rate, burst and budget of refusals per agent and task.')],
    ['EC-2.1', 'Actions have a class', 2, 'mesh', 'policy-compliance', on('From the manifest, never from who asks.')],
    ['EC-2.2', 'Tools run apart', 2, 'agents', null, ({ isolation }) =>
      isolation ? ['partly', 'Agents run under users of their own; tools are not sandboxed.'] : ['failing', 'isolation: none. Agents share a user with their sidecars.']],
    ['EC-2.3', 'Damage has a cap', 2, 'costs', null, ({ caps }) =>
      caps ? ['on', 'Sums over time have one owner for the mesh.'] : ['off', 'The mesh file names no caps and no bounds.']],
    ['EC-2.4', 'What keeps failing is switched off', 2, 'agents', 'indicator.raised', on('Breakers per tool operation and per agent.')],
    ['EC-2.5', 'A judge looks at what is doubtful', 2, 'log', 'model-as-judge', ({ judge }) =>
      judge ? ['on', 'The judge advises; the policy decides.'] : ['off', 'Not configured: what is escalated goes to people.']],
    ['EC-2.9', 'Unanswered means denied', 2, 'approvals', 'approval.expired', on('Deadlines by class; expiry denies.')],
    ['EC-2.14', 'Hand-offs have schemas', 2, 'mesh', 'scanner', on('Each edge lists its schemas; unknown members are refused.')],
  ]],
  ['OB', 'Observability', [
    ['OB-1.1', 'Every action is on record', 1, 'recorder', 'tool.outcome', ({ recorder }) =>
      recorder === 'ready' ? ['on', 'Durable before a privileged action begins.'] : ['failing', `The recorder is ${recorder}.`]],
    ['OB-1.2', 'Every message is on record', 1, 'recorder', 'message.admitted', ({ recorder }) =>
      recorder === 'unavailable' ? ['failing', 'The recorder is unavailable.'] : ['on', 'Hashes, labels, verdicts and causes; no payload.']],
    ['OB-2.1', 'The record cannot be rewritten unseen', 2, 'recorder', null, ({ witnesses, witnessed }) =>
      witnesses === 0 ? ['partly', 'Signed checkpoints; no witness cosigns them.']
        : witnessed ? ['on', 'A witness cosigns the checkpoints.'] : ['failing', 'The witness is late.']],
    ['OB-2.2', 'Anomalies are scored', 2, 'anomaly', 'indicator.raised', ({ observer }) =>
      ['on', `Scores move PACE. ${observer ? 'The observer holds the mesh to its own.' : 'No observer holds the mesh to them.'}`]],
    ['OB-2.4', 'A SIEM hears of it', 2, 'recorder', null, ({ exporters }) =>
      exporters > 0 ? ['on', `${exporters} exporters follow the log.`] : ['off', 'The mesh file names no exporter.']],
    ['OB-2.7', 'A person answers for it', 2, 'approvals', 'approval.decided', on('Each decision is signed by one person.')],
    ['OB-3.5', 'Each decision can be traced', 3, 'trace', null, on('One document per request, rebuilt from the record.')],
  ]],
  ['SC', 'Supply chain', [
    ['SC-1.2', 'Tools are known', 1, 'mesh', null, on('The mesh file lists each tool and its operations.')],
    ['SC-2.2', 'Tools are what was pinned', 2, 'mesh', null, ({ tools }) =>
      tools.pinned === tools.all ? ['on', 'Program files, texts and schemas are pinned by hash.']
        : ['partly', `${tools.pinned} of ${tools.all} tools are pinned.`]],
    ['SC-1.1', 'Models are inventoried', 1, null, null, absent('No bill of materials is made.')],
  ]],
  ['PA', 'Privileged agents and PACE', [
    ['PA-1.1', 'Roles are declared and kept apart', 1, 'mesh', null, on('An executor reads no prose; proven when the mesh file loads.')],
    ['PA-2.3', 'PACE moves on evidence', 2, 'pace', 'pace.changed', ({ pace }) =>
      pace ? ['on', 'Phases per agent, workflow and mesh.'] : ['absent', 'The phase is always PRIMARY in this build.']],
    ['PA-2.5', 'Reviewers are watched for fatigue', 2, 'approvals', null, ({ probesPerDay }) =>
      probesPerDay > 0 ? ['on', `${probesPerDay} probes a day, and signals over seven days.`] : ['partly', 'Signals over seven days; no probes are planted.']],
  ]],
  ['OI', 'Objective intent', [
    ['OI-1.1', 'Agents state their intent', 1, 'intent', 'policy-compliance', ({ oispecs, agents }) =>
      oispecs === agents ? ['on', 'Every agent has an OISpec.'] : ['partly', `${oispecs} of ${agents} agents have an OISpec.`]],
    ['OI-1.2', 'Workflows state theirs', 1, 'intent', null, ({ workflows }) =>
      workflows > 0 ? ['on', 'Each criterion has somebody who answers for it, or nothing starts.'] : ['off', 'The mesh file names no workflow.']],
  ]],
  ['ENV', 'Environment', [
    ['ENV-1', 'Input is parsed strictly', 1, 'log', 'scanner', on('Depth, size, count and time are bounded everywhere.')],
    ['ENV-20', 'Networks are cut apart', 3, null, null, absent('Left to the host: tools may open connections.')],
    ['ENV-21', 'One switch stops everything', 1, 'pace', 'pace.stop', ({ pace }) =>
      pace ? ['on', 'Kill and controlled halt.'] : ['partly', 'Agents are revoked one by one.']],
  ]],
];

/** The framework's domains as lines and its controls as stations, each in the state it is in. */
export function controlMap(facts: MapFacts): readonly Line[] {
  return lines.map(([id, name, rows]) => ({
    id, name,
    stations: rows.map((row) => stationOf(row, facts)),
  }));
}

function stationOf([id, title, tier, evidence, seen, stateOf]: Row, facts: MapFacts): Station {
  const given = facts.deselected.get(id);
  const [state, says] = stateOf(facts);
  const counted = seen === null ? null : (facts.seen.get(seen) ?? 0);
  const station = { id, title, tier, evidence, seen: counted };
  // A deselection of what this build switches off with it; elsewhere it is a note on record.
  return given === undefined
    ? { ...station, state, says }
    : { ...station, state: 'deselected', says: `${given.reason} (${given.by})` };
}
