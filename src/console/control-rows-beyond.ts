// SPDX-License-Identifier: Apache-2.0
import { absent, on, partly, people, withJudge, withObserver, withWorkflows, type Row } from './station.ts';

const noExtraction = absent('Reading fields out of documents is not part of this build.');
const yours = absent('A matter of your tools and their databases.');

export const toolContractRows: readonly Row[] = [
  ['AT-1.1', 'Workflows have contracts', 1, 'intent', null, withWorkflows('Specifications with goals and criteria.')],
  ['AT-1.2', 'Agents have contracts', 1, 'intent', null, ({ oispecs, agents }) =>
    oispecs === agents ? ['on', 'Every agent has an OISpec.'] : ['partly', `${oispecs} of ${agents} agents have an OISpec.`]],
  ['AT-1.3', 'Contracts have a history', 1, 'recorder', null, on('Versions by content; the newest 64 are kept.')],
  ['AT-1.4', 'Tools outside a contract are not there', 1, 'mesh', null, on('The gate knows no others.')],
  ['AT-1.5', 'Traces are whole', 1, 'trace', null, on('Calls, order, times and outcomes of every request.')],
  ['AT-1.6', 'Blocked attempts are signs', 1, 'log', 'tool.refused', on('Each refusal is on record and exported.')],
  ['AT-1.7', 'Hard stops', 1, 'pace', null, on('Caps, breakers and PACE; no agent lifts one.')],
  ['AT-2.1', 'Contracts inherit', 2, 'agents', null, on('Children and mandates only narrow.')],
  ['AT-2.2', 'Contracts are reviewed', 2, null, null, people],
  ['AT-2.3', 'Only the tools that are needed', 2, null, null, people],
  ['AT-2.4', 'Order is enforced', 2, 'intent', null, partly('Where an OISpec orders actions.')],
  ['AT-2.5', 'Nothing runs twice', 2, 'trace', 'tool.outcome', on('Keys and durable intents; what nobody knows is IN-DOUBT.')],
  ['AT-2.6', 'Means and ends in four states', 2, null, null, absent('They are not told apart.')],
  ['AT-2.7', 'Right by wrong means', 2, null, null, absent('Sequences of calls are not judged.')],
  ['AT-2.8', 'Trends of blocked attempts', 2, 'anomaly', null, on('Refusals are one of the signals of a score.')],
  ['AT-2.9', 'Halts lead to people', 2, 'approvals', null, on('Never to a stronger agent.')],
  ['AT-2.10', 'Contracts change through people', 2, 'recorder', null, on('On record before they are in force.')],
  ['AT-2.11', 'A judge of contracts', 2, 'log', null, withJudge('Where one of intent is named.')],
  ['AT-2.12', 'A contract for the judge', 2, 'intent', null, withJudge('A specification of its own; it can write nothing.')],
  ['AT-2.13', 'Verdicts have a schema', 2, 'log', null, on('Control, rule, version, outcome and time, exported as OCSF.')],
  ['AT-2.14', 'Vendors disclose', 2, null, null, people],
  ['AT-2.15', 'What stays hidden is written down', 2, null, null, people],
  ['AT-3.1', 'Runs are compared', 3, 'anomaly', null, partly('Baselines are of agents, not of runs.')],
  ['AT-3.2', 'Four levels of judging', 3, null, null, absent('Single calls and sums are judged; sequences and sessions are not.')],
  ['AT-3.3', 'The judge belongs to others', 3, null, null, people],
];

export const cognitionRows: readonly Row[] = [
  ['MC-1.1', 'Attestations are listed', 1, null, null, people],
  ['MC-1.2', 'Disclosures are logged', 1, null, null, people],
  ['MC-1.3', 'Models are classed by access', 1, null, null, people],
  ['MC-1.4', 'Providers are asked', 1, null, null, people],
  ['MC-1.5', 'Reasoning is on record', 1, 'log', null, partly('Digests, lengths and findings, where a model is behind its sidecar; not compared with actions.')],
  ['MC-1.6', 'Claims of completion are checked', 1, 'intent', null, partly('By milestones on record.')],
  ['MC-2.1', 'Evidence is reviewed', 2, null, null, people],
  ['MC-2.2', 'Behaviour is disclosed', 2, null, null, people],
  ['MC-2.3', 'Reasoning is tested', 2, null, null, absent('No reframed cases are put to agents\' models.')],
  ['MC-2.4', 'Reasoning is not enough', 2, null, null, people],
  ['MC-2.5', 'A baseline of completion', 2, null, null, absent('None is built.')],
  ['MC-2.6', 'Shortcuts stand out', 2, null, null, absent('Completion is no signal of a score.')],
  ['MC-2.7', 'Residual risk is signed', 2, null, null, people],
  ['MC-2.8', 'Vendors attest', 2, null, null, people],
  ['MC-2.9', 'Vendors report findings', 2, null, null, people],
  ['MC-2.10', 'Vendors notify', 2, null, null, people],
  ['MC-3.1', 'An outside party verifies', 3, null, null, people],
  ['MC-3.2', 'Activations and reasoning', 3, null, null, absent('Nothing looks into a model.')],
  ['MC-3.3', 'Tempting shortcuts', 3, null, null, people],
  ['MC-3.4', 'A score of assurance', 3, null, null, absent('None is made.')],
  ['MC-3.5', 'Rights to audit', 3, null, null, people],
];

export const extractionRows: readonly Row[] = [
  ['EI-1.1', 'Fields have a risk', 1, 'mesh', null, partly('Sensitive parameters of actions do; fields of documents do not.')],
  ['EI-1.2', 'Confidence per field', 1, null, null, noExtraction],
  ['EI-1.3', 'Where a value was read', 1, null, null, noExtraction],
  ['EI-1.4', 'People see image and value', 1, null, null, noExtraction],
  ['EI-1.5', 'Checks before reading', 1, 'log', null, partly('Size, depth and form of what tools return.')],
  ['EI-2.1', 'Thresholds by class', 2, null, null, noExtraction],
  ['EI-2.2', 'Values meet a trusted source', 2, 'approvals', null, partly('Sensitive parameters come from declared sources, or a person endorses them.')],
  ['EI-2.3', 'A mismatch goes to people', 2, 'approvals', null, partly('Of sources of parameters; nothing is read twice.')],
  ['EI-2.4', 'Tampered documents', 2, null, null, noExtraction],
  ['EI-2.5', 'Confidence on the bus', 2, null, null, noExtraction],
  ['EI-2.6', 'No surer than its weakest input', 2, 'log', null, partly('Of messages that say how sure they are.')],
  ['EI-3.1', 'Looked up again at the end', 3, null, null, partly('The executor vouches for a value through its own read.')],
  ['EI-3.2', 'Read by two', 3, null, null, noExtraction],
  ['EI-3.3', 'A field can be rebuilt', 3, 'trace', null, partly('Its sources and who endorsed it; not the document.')],
  ['EI-3.4', 'Synthetic documents', 3, null, null, noExtraction],
];

export const environmentRows: readonly Row[] = [
  ['ENV-2', 'Contracts first', 2, 'mesh', null, on('What no published schema has is refused.')],
  ['ENV-3', 'Known-good only', 3, 'mesh', null, partly('Closed schemas and lists; free text stays free.')],
  ['ENV-4', 'Each call is authorised', 2, 'log', 'policy-compliance', on('For this agent, action and values.')],
  ['ENV-5', 'Agents see yes or no', 1, null, null, on('Coarse codes, on a grid of time.')],
  ['ENV-6', 'Errors tell nothing', 1, null, null, on('No paths, versions or values.')],
  ['ENV-7', 'People see the whole', 1, 'log', null, on('Codes with reasons, in the record alone.')],
  ['ENV-8', 'Stored procedures', 1, null, null, yours],
  ['ENV-9', 'Parameters, never text', 1, null, null, partly('The mesh\'s own stores do; tools are yours.')],
  ['ENV-10', 'Rows by identity', 2, null, null, yours],
  ['ENV-11', 'Rules in the database', 3, null, null, yours],
  ['ENV-12', 'Replicas for reading', 3, null, null, yours],
  ['ENV-13', 'Prompts say not to retry', 1, null, null, people],
  ['ENV-14', 'Repeats are refused for a while', 2, 'log', null, partly('Retry budgets and breakers; likeness is not looked for.')],
  ['ENV-15', 'Retries have a budget', 3, 'log', null, on('Per task and executor.')],
  ['ENV-16', 'Every channel is scanned', 2, 'log', 'scanner', partly('Messages, results and models; not what tools send elsewhere.')],
  ['ENV-17', 'Fraud is looked for', 2, null, null, absent('By your own monitoring; exporters feed it.')],
  ['ENV-18', 'A firewall for the web', 3, null, null, absent('Agents reach sidecars by sockets.')],
  ['ENV-19', 'Beside other security events', 1, 'recorder', null, ({ exporters }) =>
    exporters > 0 ? ['on', 'OCSF events to your SIEM.'] : ['off', 'The mesh file names no exporter.']],
  ['ENV-22', 'Signs fire the switch', 2, 'pace', null, ({ pace }) =>
    pace ? ['on', 'Scores and indicators move PACE.'] : ['absent', 'The phase is always PRIMARY in this build.']],
  ['ENV-23', 'The switch stands apart', 3, 'pace', null, withObserver('The observer has a key and a directory of its own.')],
  ['ENV-24', 'State survives a kill', 3, 'recorder', null, on('The record, what agents stood in, and calls without an end.')],
];
