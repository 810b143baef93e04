// SPDX-License-Identifier: Apache-2.0
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinMesh, type MeshAgent, type Message } from '../../src/sdk/join-mesh.ts';
import { masoJson, startMesh } from '../mail-to-bank/story/mesh-process.ts';

export const meshFile = join(import.meta.dirname, 'security_mesh.yaml');
export const patient = 'Ada Example';

const summary = 'Protocol B: a response of 85 percent was seen in patients under 50 without comorbidity. ' +
  'Patients over 65 with diabetes were left out of the trial.';

export type Played = {
  /** What each agent was shown of the patient. */
  readonly shown: { readonly records: string; readonly synthesis: string; readonly clinic: string };
  readonly advice: string;
  readonly caveat: string;
  readonly state: string;
};

/** Asks about one patient. The caller stops the mesh. */
export async function playStory(
  state: string,
): Promise<{ readonly stop: () => Promise<void>; readonly result: Played }> {
  const mesh = await startMesh(state, join(state, 'mesh.log'), meshFile);
  try {
    const [clinic, records, synthesis] = await Promise.all(['clinic', 'records', 'synthesis'].map((name) => {
      const place = mesh.ready.sidecars.find(({ agent }) => agent === name);
      if (place === undefined || place.tokenFile === null) throw new Error(`The mesh has no ${name}.`);
      return joinMesh({ sidecar: place.address, token: readFileSync(place.tokenFile, 'utf8').trim() });
    }));
    if (clinic === undefined || records === undefined || synthesis === undefined) throw new Error('Nobody joined.');
    const document = join(state, 'protocol-b.md');
    writeFileSync(document, summary);
    await masoJson(['knowledge', 'ingest', 'trials', document, '--as', 'local', '--reason', 'story', '--state', state]);
    const sent = await clinic.startTask({ to: 'records', schema: 'question/1', prompt: { patient, bed: '12' } });
    if (sent.verdict !== 'GO') throw new Error(`The clinic may not ask: ${sent.code}.`);
    const seenByRecords = await readChart(records);
    const seenBySynthesis = await weigh(synthesis);
    const { payload } = await next(clinic);
    const advice = payload as { readonly patient: string; readonly advice: string; readonly caveat: string };
    for (const agent of [clinic, records, synthesis]) agent.close();
    const shown = { records: seenByRecords, synthesis: seenBySynthesis, clinic: advice.patient };
    return { stop: mesh.stop, result: { shown, advice: advice.advice, caveat: advice.caveat, state } };
  } catch (failure) {
    await mesh.stop();
    throw failure;
  }
}

/** The agent that reads records: what its tool knows by name reaches it under a token. */
async function readChart(agent: MeshAgent): Promise<string> {
  const { payload, task } = await next(agent);
  const asked = payload as { readonly patient: string; readonly bed: string };
  const { result } = await agent.tools.call('charts.read', { bed: asked.bed }, { task });
  const chart = result as { readonly patient: string; readonly age: number; readonly comorbidities: readonly string[] };
  // The same person has the same token: it can tell that the chart is the one that was asked for.
  if (chart.patient !== asked.patient) throw new Error('The chart is of somebody else.');
  const { patient: token, age, comorbidities } = chart;
  await agent.send({ to: 'synthesis', type: 'data', schema: 'chart/1', payload: { patient: token, age, comorbidities }, task });
  return token;
}

/** The agent that weighs: whom a trial left out goes along with what it found. */
async function weigh(agent: MeshAgent): Promise<string> {
  const { payload, task } = await next(agent);
  const chart = payload as { readonly patient: string; readonly age: number };
  const { items } = await agent.knowledge.query('trials', 'response of patients to protocol B', { task, limit: 1 });
  const [found] = items;
  const text = found === undefined ? 'nothing was found' : String((found.value as { readonly text: string }).text);
  const caveat = chart.age > 65 ? `Not studied at this age: ${text}` : text;
  await agent.send({
    to: 'clinic', type: 'claim', schema: 'advice/1', task,
    payload: { patient: chart.patient, advice: 'A clinician decides on protocol B.', caveat },
    epistemic: { confidence: 0.4, assumptions: [], unknowns: ['response over 65'] },
  });
  return chart.patient;
}

async function next(agent: MeshAgent): Promise<Message> {
  for await (const message of agent.messages(AbortSignal.timeout(20_000))) return message;
  throw new Error(`${agent.name} was sent nothing.`);
}
