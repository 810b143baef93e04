// SPDX-License-Identifier: Apache-2.0
import { judgeShape, judgeSubjectNames, type JudgeFile } from './judge-file.ts';
import type { JudgeModelSettings, JudgeSettings, JudgeSubjectSettings } from './judge-settings.ts';
import { resolveJudgeSpec } from './resolve-judge-spec.ts';
import type { Loading } from './loading.ts';
import { isSecureUrl } from './secure-url.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

const path: Path = ['security_mesh', 'judge'];

/** The section `judge`; null when it is absent, and then what is escalated goes to people. */
export function resolveJudge(loading: Loading, raw: unknown): JudgeSettings | null {
  if (raw === undefined) return null;
  const result = parseShape(judgeShape, loading.source, path, raw);
  if (!result.ok) {
    loading.diagnostics.push(...result.diagnostics);
    return null;
  }
  const given = result.value;
  const models = new Map<string, JudgeModelSettings>();
  for (const [name, model] of Object.entries(given.models)) {
    const settings = modelOf(loading, name, model);
    if (settings !== null) models.set(name, settings);
  }
  const subjects = judgeSubjectNames.flatMap((subject) => {
    const asked = given.subjects[subject];
    if (asked === undefined) return [];
    const { model, backup = null, second = null, oispec } = asked;
    const place: Path = [...path, 'subjects', subject];
    const spec = oispec === undefined ? null : resolveJudgeSpec(loading, oispec, subject, [...place, 'oispec']);
    if (oispec !== undefined && asked.criteria.length > 0) loading.reportKey('MESH_JUDGE_SPEC_DOUBLE', place);
    return [{ subject, model, backup, second, criteria: spec?.criteria ?? asked.criteria, spec }];
  });
  for (const subject of subjects) checkSubject(loading, given, subject);
  return {
    models,
    subjects,
    precedence: given.precedence,
    release: given.release,
    holdTimeoutMs: given.hold_timeout_ms,
    callTimeoutMs: given.call_timeout_ms,
    concurrency: given.concurrency,
    queueMax: given.queue_max,
    textMax: given.text_max,
    budget: {
      moneyPerHour: given.budget.money_per_hour,
      moneyPerTask: given.budget.money_per_task,
      callsPerHour: given.budget.calls_per_hour,
      tokensPerHour: given.budget.tokens_per_hour ?? null,
      tokensPerTask: given.budget.tokens_per_task ?? null,
    },
    meshBudget: given.mesh_budget === undefined ? null : {
      moneyPerHour: given.mesh_budget.money_per_hour,
      callsPerHour: given.mesh_budget.calls_per_hour,
    },
    breaker: { failures: given.breaker.failures, openMs: given.breaker.open_ms },
    sampling: given.sampling,
  };
}

function modelOf(
  loading: Loading,
  name: string,
  given: JudgeFile['models'][string],
): JudgeModelSettings | null {
  const place: Path = [...path, 'models', name];
  const { openai_compatible: compatible, anthropic } = given;
  if ((compatible === undefined) === (anthropic === undefined)) {
    loading.reportKey('MESH_JUDGE_PROVIDER', place);
    return null;
  }
  const url = compatible?.url ?? anthropic?.url ?? null;
  const kind = compatible === undefined ? 'anthropic' : 'openai_compatible';
  if (kind === 'openai_compatible' && url === null) {
    loading.reportKey('MESH_JUDGE_PROVIDER', [...place, kind]);
  }
  if (url !== null && !isSecureUrl(url)) {
    loading.report('MESH_JUDGE_URL_INSECURE', [...place, kind, 'url']);
  }
  const { credential_file: file, credential_env: env } = given;
  if (file !== undefined && env !== undefined) loading.reportKey('MESH_JUDGE_CREDENTIAL', place);
  return {
    name,
    provider: compatible === undefined
      ? { kind: 'anthropic', url }
      : { kind: 'openai_compatible', url: url ?? '', structured: compatible.structured },
    model: given.model,
    family: given.family,
    credential: credentialOf(loading, file, env),
    price: {
      perCall: given.price.per_call,
      perMillionInput: given.price.per_million_input,
      perMillionOutput: given.price.per_million_output,
    },
    outputTokensMax: given.output_tokens_max,
  };
}

function credentialOf(
  loading: Loading,
  file: string | undefined,
  env: string | undefined,
): JudgeModelSettings['credential'] {
  if (file !== undefined) return { kind: 'file', path: loading.absolute(file) };
  return env === undefined ? null : { kind: 'env', name: env };
}

function checkSubject(loading: Loading, given: JudgeFile, asked: JudgeSubjectSettings): void {
  const { subject, model, backup, second } = asked;
  const place: Path = [...path, 'subjects', subject];
  const familyOf = (name: string | null, member: string): string | null => {
    if (name === null) return null;
    const declared = Object.hasOwn(given.models, name) ? given.models[name] : undefined;
    if (declared === undefined) loading.report('MESH_JUDGE_MODEL_UNKNOWN', [...place, member]);
    return declared?.family ?? null;
  };
  const families = [familyOf(model, 'model'), familyOf(backup, 'backup')];
  const other = familyOf(second, 'second');
  if (other !== null && families.includes(other)) {
    loading.report('MESH_JUDGE_SECOND_FAMILY', [...place, 'second']);
  }
  if (given.release === 'own_subject' && second === null) {
    loading.add('MESH_JUDGE_RELEASE_ALONE', 'warning', loading.source.atKey(place));
  }
}
