// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

export const firewallCodes = {
  FIREWALL_INJECTION: {
    means: 'The injection model is sure enough that a text instructs the model which reads it.',
    mend: 'Look at the source of the text; contain it if it is under attack.',
    agentSees: 'REFUSED',
  },
  FIREWALL_SUSPECT: {
    means: 'The injection model finds a text suspicious but is not sure.',
    mend: 'Read the text through the decision trace, and decide.',
    agentSees: 'HELD',
  },
  FIREWALL_UNAVAILABLE: {
    means: 'An injection model is configured and could not answer.',
    mend: 'Bring the model back; until then what it should have read is not let through.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_LATE: {
    means: 'The injection model did not answer within its time.',
    mend: 'Raise the timeout, or give the model more CPU.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_MALFORMED: {
    means: 'The injection model answered with something that is no probability.',
    mend: 'Check the version of the model and of its adapter.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_UNBOUNDED: {
    means: 'An injection model is configured, but nothing limits the time it may take.',
    mend: 'Report it: the process that wired the firewall gave it no deadline.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_THRESHOLDS_INVALID: {
    means: 'The thresholds of the firewall are not probabilities in ascending order.',
    mend: 'Set 0 < escalateAt <= refuseAt <= 1, and a positive timeout.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_MODEL_MALFORMED: {
    means: 'The file of the injection model is no such model, or one of another version.',
    mend: 'Take the model that came with this version, or train one with `maso firewall train`.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_MODEL_MISSING: {
    means: 'The file of the injection model cannot be read.',
    mend: 'Check the path, under `firewall.model` in the mesh file or on the command line, and who may read it.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_MODEL_CHANGED: {
    means: 'The file of the injection model is not the one that was pinned.',
    mend: 'Find out who changed it; then install again, or set `firewall.sha256` to what you trust.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_TRAINING_FAILED: {
    means: 'The program that trains the second reader of a model did not run, or left none.',
    mend: 'Install Debian\'s python3-torch and python3-sklearn, or train without `--second`.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_LIBRARY_MISSING: {
    means: 'The mesh file names an ONNX model, and a library that reads one is not installed.',
    mend: 'Install @huggingface/tokenizers, and onnxruntime-node or onnxruntime-web.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_LABELS_UNKNOWN: {
    means: 'Nothing says which labels of the ONNX model mean an attack.',
    mend: 'Name them under `firewall.attack_labels`, as they stand in id2label of config.json.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_ROWS_UNREADABLE: {
    means: 'A file of labelled texts cannot be read.',
    mend: 'Check its path and its permissions.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_ROWS_MALFORMED: {
    means: 'A line of a file of labelled texts, or of feedback, is none.',
    mend: 'Mend what the message names; maso firewall eval --help shows the form.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_ROWS_TOO_FEW: {
    means: 'The files hold no labelled text, or not both attacks and harmless texts for a fit.',
    mend: 'Give more files; a fit needs texts of both labels.',
    agentSees: 'UNAVAILABLE',
  },
  FIREWALL_TOO_MANY_TEXTS: {
    means: 'A payload holds more texts than the injection model is given at one time.',
    mend: 'Split the payload over several messages.',
    agentSees: 'HELD',
  },
} as const satisfies CodeTable;

export type FirewallCode = keyof typeof firewallCodes;

export function isFirewallCode(code: string): code is FirewallCode {
  return Object.hasOwn(firewallCodes, code);
}
