// SPDX-License-Identifier: Apache-2.0
import { anomalyCodes } from '../anomaly/codes.ts';
import { boundsCodes } from '../bounds/codes.ts';
import { busCodes } from '../bus/codes.ts';
import { contagionCodes } from '../contagion/codes.ts';
import { consoleCodes } from '../console/codes.ts';
import { controlCodes } from '../control/codes.ts';
import { exporterCodes } from '../exporter/codes.ts';
import { firewallCodes } from '../firewall/codes.ts';
import { identityCodes } from '../identity/codes.ts';
import { labelCodes } from '../label/codes.ts';
import { mandateCodes } from '../mandate/codes.ts';
import { meshCodes } from '../mesh/codes.ts';
import { messageCodes } from '../message/codes.ts';
import { intentCodes } from '../intent/codes.ts';
import { knowledgeCodes } from '../knowledge/codes.ts';
import { judgeCodes } from '../judge/codes.ts';
import { oversightCodes } from '../oversight/codes.ts';
import { observerCodes } from '../observer/codes.ts';
import { paceCodes } from '../pace/codes.ts';
import { policyCodes } from '../policy/codes.ts';
import { protectionCodes } from '../protection/codes.ts';
import { recorderCodes } from '../recorder/codes.ts';
import type { AgentCode, CodeEntry, CodeTable } from '../review/code.ts';
import { reviewCodes } from '../review/codes.ts';
import { scannerCodes } from '../scanner/codes.ts';
import { sidecarCodes } from '../sidecar/codes.ts';
import { toolCodes } from '../tool/codes.ts';
import { witnessCodes } from '../witness/codes.ts';
import { verifierCodes } from '../verifier/codes.ts';
import { replayCodes } from './replay-codes.ts';

/** Every code of the product by the folder that owns it; `docs/errors.md` is made from this. */
export const codeTables: { readonly [folder: string]: CodeTable } = {
  message: messageCodes,
  label: labelCodes,
  review: reviewCodes,
  identity: identityCodes,
  mesh: meshCodes,
  scanner: scannerCodes,
  firewall: firewallCodes,
  contagion: contagionCodes,
  policy: policyCodes,
  mandate: mandateCodes,
  bounds: boundsCodes,
  intent: intentCodes,
  judge: judgeCodes,
  oversight: oversightCodes,
  pace: paceCodes,
  anomaly: anomalyCodes,
  observer: observerCodes,
  protection: protectionCodes,
  knowledge: knowledgeCodes,
  recorder: recorderCodes,
  exporter: exporterCodes,
  verifier: verifierCodes,
  witness: witnessCodes,
  tool: toolCodes,
  sidecar: sidecarCodes,
  bus: busCodes,
  control: controlCodes,
  console: consoleCodes,
  process: replayCodes,
};

const byCode: ReadonlyMap<string, CodeEntry> = new Map(
  Object.values(codeTables).flatMap((table) => Object.entries(table)),
);

export function codeEntry(code: string): CodeEntry | null {
  return byCode.get(code) ?? null;
}

/** The coarse code for agents; a code nobody owns is a plain refusal. */
export function agentSees(code: string): AgentCode {
  return byCode.get(code)?.agentSees ?? 'REFUSED';
}
