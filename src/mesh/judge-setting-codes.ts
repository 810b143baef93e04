// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What is wrong with the section `judge` of a mesh file. */
export const judgeSettingCodes = {
  MESH_JUDGE_PROVIDER: {
    means: 'A judge model names no provider, or more than one.',
    mend: 'Give it exactly one of openai_compatible and anthropic.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_URL_INSECURE: {
    means: 'A model would be asked over a connection without TLS.',
    mend: 'Use https, or a server on this machine; write no credentials into the address.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_CREDENTIAL: {
    means: 'The credential of a model is named twice.',
    mend: 'Give either credential_file or credential_env.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_MODEL_UNKNOWN: {
    means: 'A judge names a model that judge.models does not have.',
    mend: 'Declare the model in judge.models, or name another.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_SECOND_FAMILY: {
    means: 'The second model of a judge is of the same family as the first or its backup.',
    mend: 'Cross-validation wants a model of another family: name one, or leave second out.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FAMILY_SHARE: {
    means: 'More of the models that lead to a decision are of one family than epistemic.family_share_max allows (PG-2.9).',
    mend: 'Give some of the agents a model of another family, or raise the bound.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_FAMILY_ALONE: {
    means: 'All models that lead to a decision are of one family, and may err alike (EP-02).',
    mend: 'Give one of the agents, or a challenger, a model of another family.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_CHALLENGER_FAMILY: {
    means: 'A challenger has a model of the family of whoever it challenges (PG-3.5).',
    mend: 'Give the challenger a model of another family.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_FAMILY: {
    means: 'A judge is of the family of every agent whose work it judges, and has no second of another.',
    mend: 'Name a model of another family for the subject, or a second one.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_SPEC_SUBJECT: {
    means: 'The specification of a judge is for another subject.',
    mend: 'Set judge_subject to the subject that names the file, or name another file.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_SPEC_DOUBLE: {
    means: 'A judge has criteria in the mesh file and a specification of its own.',
    mend: 'Move the criteria into the specification.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_JUDGE_RELEASE_ALONE: {
    means: 'A judge may release holds and no second family checks it.',
    mend: 'Name a second model of another family for the subject, or set release to never.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
