// SPDX-License-Identifier: Apache-2.0
import { cognitionRows, extractionRows, toolContractRows } from './control-rows-beyond.ts';
import { furtherRows } from './control-rows.ts';
import {
  absent, on, withKnowledge, withWorkflows, type Line, type MapFacts, type Row, type Station,
} from './station.ts';

const lines: readonly (readonly [id: string, name: string, rows: readonly Row[]])[] = [
  ['PG', 'Prompt, goal and epistemic integrity', [
    ['PG-1.1', 'Every input is read by scanners', 1, 'log', 'scanner', on('Scanners read what agents send, receive and get from tools.')],
    ['PG-1.3', 'The task is fixed by who starts it', 1, 'log', null, on('A task and its goal are stamped by the sidecar and travel signed.')],
    ['PG-1.4', 'Messages are data, instruction or claim', 1, 'mesh', 'bus', on('Free text where a type is owed drops the connection.')],
    ['PG-2.1', 'Injection between agents is looked for', 2, 'log', 'semantic-firewall', ({ firewall }) =>
      firewall ? ['on', 'The semantic firewall reads every text.'] : ['off', 'No model is configured; every verdict says so.']],
    ['PG-2.2', 'The goal is watched over hops', 2, null, null, withWorkflows('The goal travels as a hash; judges of a phase hold what was done against it.')],
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
    ['DP-2.1', 'What leaks is found on the bus', 2, 'log', 'scanner', on('Secrets and personal data are looked for on both ends, and at the bus between zones (scanner.at_bus).')],
    ['DP-2.2', 'Retrieved text stays fresh and whole', 2, null, null, withKnowledge('Hashes, a window of freshness, and an hourly look; later versions replace earlier ones.')],
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

/** Domains of which nothing needs more than a line. */
const beyond: typeof lines = [
  ['AT', 'Agent tools and contracts', toolContractRows],
  ['MC', 'Model cognition', cognitionRows],
  ['EI', 'Extraction integrity', extractionRows],
];

/**
 * The framework's domains as lines and all of its controls as stations, each in the state it is in:
 * 199 of the ten domains, and 39 of extraction and environment.
 */
export function controlMap(facts: MapFacts): readonly Line[] {
  return [...lines, ...beyond].map(([id, name, rows]) => ({
    id, name,
    stations: [...rows, ...(furtherRows[id] ?? [])].toSorted((a, b) => numberOf(a) - numberOf(b))
      .map((row) => stationOf(row, facts)),
  }));
}

/** `EC-2.7a` stands between `EC-2.7` and `EC-2.8`. */
function numberOf([id]: Row): number {
  const [, whole = '0', part = '0', letter = ''] = /-([0-9]+)(?:\.([0-9]+))?([a-z]?)$/.exec(id) ?? [];
  return Number(whole) * 1000 + Number(part) * 10 + (letter === '' ? 0 : 5);
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
