// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { completeOver } from '../adapters/agent-model-http.ts';
import { AiJudgeModel } from '../adapters/judge-model-ai.ts';
import { loadJudgeLibrary } from '../adapters/judge-library.ts';
import { systemJudgeTiming } from '../adapters/judge-timing.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { deselectedJudge, noJudge, type Judge } from '../judge/judge.ts';
import { JudgeError } from '../judge/judge-error.ts';
import type { JudgeModel } from '../judge/judge-model.ts';
import { createPanel } from '../judge/panel.ts';
import { Spend, type MeshBudget, type SpendStore } from '../judge/spend.ts';
import { deselectedVersion, deselectionOf } from '../mesh/deselection.ts';
import type { JudgeModelSettings, JudgeSettings } from '../mesh/judge-settings.ts';
import type { Agent, Mesh } from '../mesh/mesh.ts';
import type { Clock } from '../message/clock.ts';
import type { AgentModel } from '../sidecar/agent-model.ts';

/**
 * The judge that a mesh file asks for. Rejects with `JudgeError` where it is configured and cannot be
 * set up: a key that is missing is found at the start, and not at the first hold.
 */
export async function judgeOf(
  mesh: Mesh,
  store: SpendStore,
  clock: Clock,
  shared: MeshBudget | null = null,
): Promise<Judge> {
  const off = deselectionOf(mesh, 'model-as-judge');
  if (off !== null) return deselectedJudge(deselectedVersion(off));
  const settings = mesh.judge ?? null;
  if (settings === null || settings.subjects.length === 0) return noJudge;
  return createPanel({
    settings,
    models: await judgeModels(settings),
    spend: new Spend(settings.budget, store, clock, shared),
    timing: systemJudgeTiming,
    clock,
    random: systemRandom,
  });
}

/** A client for each model of the settings. Rejects with JUDGE_LIBRARY_MISSING, JUDGE_CREDENTIAL_MISSING. */
export async function judgeModels(
  settings: Pick<JudgeSettings, 'models'>,
): Promise<ReadonlyMap<string, JudgeModel>> {
  const library = await loadJudgeLibrary();
  const models = new Map<string, JudgeModel>();
  for (const [name, model] of settings.models) {
    models.set(name, new AiJudgeModel(model, await keyOf(model), library));
  }
  return models;
}

/** The model that an agent thinks with; null where the mesh file gives it none. */
export async function agentModelOf(
  { name, model }: Agent,
  store: SpendStore,
  clock: Clock,
): Promise<AgentModel | null> {
  const settings = model ?? null;
  if (settings === null) return null;
  const key = await keyOf({ name: `of ${name}`, credential: settings.credential });
  return {
    settings,
    spend: new Spend(settings.budget, store, clock),
    timing: systemJudgeTiming,
    complete: completeOver(settings.url, key),
  };
}

async function keyOf({ name, credential }: Pick<JudgeModelSettings, 'name' | 'credential'>): Promise<string | null> {
  if (credential === null) return null;
  const key = credential.kind === 'env'
    ? process.env[credential.name]
    : await readFile(credential.path, 'utf8').catch(() => undefined);
  const trimmed = key?.trim() ?? '';
  if (trimmed !== '') return trimmed;
  throw new JudgeError('JUDGE_CREDENTIAL_MISSING', `The model ${name} has no credential.`);
}
