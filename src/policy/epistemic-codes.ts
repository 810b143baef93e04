// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What a message may not do with what its sender was told (EP-01 to EP-09). */
export const epistemicCodes = {
  POLICY_CLAIM_AS_FACT: {
    means: 'The sender was told how sure something is, and passes on without saying so (EP-03).',
    mend: 'Let the agent send epistemic along: confidence, assumptions, unknowns.',
    agentSees: 'INVALID',
  },
  POLICY_CONFIDENCE_RAISED: {
    means: 'The message is surer than what its sender was told, and nothing new was read (EP-06).',
    mend: 'Let the agent keep the confidence that it was given, or read a source.',
    agentSees: 'INVALID',
  },
  POLICY_ONE_ROOT: {
    means: 'Several messages made the sender surer, and all of them go back to one source (EP-01, EP-04).',
    mend: 'Let the agent find a second source; agreement of agents is none.',
    agentSees: 'INVALID',
  },
  POLICY_UNKNOWN_DROPPED: {
    means: 'Something that was unknown is no longer said to be, and nothing new was read (EP-06).',
    mend: 'Let the agent pass unknowns on until something answers them.',
    agentSees: 'INVALID',
  },
  POLICY_ASSUMPTION_DROPPED: {
    means: 'The message leaves out an assumption that what it rests on was made under (EP-08).',
    mend: 'Let the agent pass assumptions on; those of one agent alone begin with local:.',
    agentSees: 'INVALID',
  },
  POLICY_ASSUMPTION_LEAKED: {
    means: 'The message carries on an assumption that its maker called local (EP-08).',
    mend: 'Let the agent state an assumption of its own, or none.',
    agentSees: 'INVALID',
  },
  POLICY_CONSTRAINT_LOST: {
    means: 'A constraint that was given on the way is not passed on (EP-05).',
    mend: 'Let the agent pass on every assumption that begins with constraint:, word for word.',
    agentSees: 'INVALID',
  },
  POLICY_ONE_FAMILY: {
    means: 'Several messages made the sender surer, and the models of all who sent them are of one family (EP-02).',
    mend: 'Let an agent with a model of another family look, or read a source; models of one family err alike.',
    agentSees: 'INVALID',
  },
  POLICY_ANSWER_KIND: {
    means: 'The message replies to an instruction, and is of a schema that does not answer it (EP-07).',
    mend: 'Let the agent answer with a schema that the instruction names, or ask back (clarification/1).',
    agentSees: 'INVALID',
  },
  POLICY_ANSWER_OTHER: {
    means: 'The answer is about something else than its instruction asked for (EP-07).',
    mend: 'Let the agent answer about what was asked; the path names the member that differs.',
    agentSees: 'INVALID',
  },
  POLICY_ANSWER_PARTIAL: {
    means: 'The answer leaves out something that its instruction asked for (EP-07).',
    mend: 'Let the agent answer every item, or say what is unknown in a claim of another schema.',
    agentSees: 'INVALID',
  },
  POLICY_ASSURANCE_CONFIDENCE: {
    means: 'The action rests on something less sure than it may, or on what nobody said how sure it is.',
    mend: 'Find a source of its own for it, or ask for an action that does not assert it.',
    agentSees: 'REFUSED',
  },
  POLICY_ASSURANCE_UNKNOWNS: {
    means: 'More of what the action rests on is unknown than it allows (EP-06).',
    mend: 'Have the unknowns answered, or ask for an action that does not assert them.',
    agentSees: 'REFUSED',
  },
} as const satisfies CodeTable;
