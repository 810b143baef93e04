// SPDX-License-Identifier: Apache-2.0
import type { ToolManifest } from '../mesh/mesh.ts';
import type { Label } from '../message/envelope.ts';
import { isJsonObject } from '../message/json.ts';
import type { JsonObject, JsonValue } from '../message/json.ts';
import { combine } from '../review/verdict.ts';
import type { CombinedVerdict } from '../review/verdict.ts';
import type { AdmissionFields } from './admitted.ts';
import type { ClosedSchemas } from './compiled-schema.ts';
import { withoutResult } from './gate-outcome.ts';
import type { Decision } from './gate-outcome.ts';
import { valueForSchema } from './mcp-result.ts';
import { boundsRefusal } from './result-bounds.ts';
import type { ResultBounds } from './result-bounds.ts';
import { labelResult } from './result-label.ts';
import type { ToolAnswer } from './tool-runner.ts';

export type ResultControls = {
  readonly tools: ReadonlyMap<string, ToolManifest>;
  readonly bounds: ResultBounds;
  /**
   * The reviewing controls over a result. NO-GO withholds it; ESCALATE withholds it where the call
   * is privileged (DESIGN 6.1). Rejecting, or no verdict at all, withholds it too.
   */
  readonly review: (
    value: JsonValue,
    about: { readonly request: AdmissionFields; readonly label: Label },
  ) => Promise<CombinedVerdict>;
};

/**
 * What a tool's answer means, after bounds, output schema, label and review. A write whose result
 * cannot be delivered is IN-DOUBT: the tool acted, and what it says about it cannot be believed.
 */
export async function controlResult(
  fields: AdmissionFields,
  answer: ToolAnswer,
  controls: ResultControls,
  schemas: ClosedSchemas,
): Promise<Decision> {
  const withheld = fields.write ? 'IN-DOUBT' : 'FAILED';
  if (answer.status === 'failed') return withoutResult('FAILED', answer.reason);
  if (answer.status === 'unknown') return withoutResult(withheld, answer.reason);
  const oversize = boundsRefusal(answer.value, controls.bounds);
  if (oversize !== null) return withoutResult(withheld, oversize);
  const kept = keepMembers(answer.value, fields.keep ?? null);
  const shaped = shape(kept, fields.outputSchema, controls.bounds, schemas);
  if (!shaped.ok) return withoutResult(withheld, shaped.code);
  const tool = controls.tools.get(fields.tool);
  if (tool === undefined) return withoutResult(withheld, 'TOOL_UNKNOWN');
  const labelled = labelResult(shaped.value, tool, fields.operation);
  const reviewed = await review(shaped.value, fields, labelled.label, controls);
  if (reviewed.code !== null) return withoutResult(withheld, reviewed.code, reviewed.verdicts);
  return {
    status: 'DONE',
    code: null,
    result: shaped.value,
    label: labelled.label,
    sourceOf: labelled.sourceOf,
    derived: labelled.derived,
    verdicts: reviewed.verdicts,
  };
}

/** What the manifest does not keep is dropped here and seen by nobody. */
function keepMembers(value: JsonValue, keep: readonly string[] | null): JsonValue {
  if (keep === null) return value;
  const given = valueForSchema(value);
  if (!isJsonObject(given)) return {};
  return Object.fromEntries(Object.entries(given).filter(([name]) => keep.includes(name)));
}

type Shaped =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly code: 'TOOL_RESULT_SCHEMA' | 'TOOL_SCHEMA_BROKEN' };

function shape(
  value: JsonValue,
  schema: JsonObject | null,
  bounds: ResultBounds,
  schemas: ClosedSchemas,
): Shaped {
  if (schema === null) return { ok: true, value };
  try {
    const check = schemas.check(schema);
    if (check(value)) return { ok: true, value };
    const parsed = valueForSchema(value);
    const matches = boundsRefusal(parsed, bounds) === null && check(parsed);
    return matches ? { ok: true, value: parsed } : { ok: false, code: 'TOOL_RESULT_SCHEMA' };
  } catch {
    // A schema that does not compile, or throws on this value, vouches for nothing.
    return { ok: false, code: 'TOOL_SCHEMA_BROKEN' };
  }
}

async function review(
  value: JsonValue,
  fields: AdmissionFields,
  label: Label,
  controls: ResultControls,
): Promise<{ readonly code: string | null; readonly verdicts: CombinedVerdict['verdicts'] }> {
  let verdict: CombinedVerdict;
  try {
    verdict = await controls.review(value, { request: fields, label });
  } catch {
    // Controls that fail vouch for nothing.
    return { code: 'TOOL_REVIEW_FAILED', verdicts: [] };
  }
  const { outcome, lead, verdicts } = verdict.verdicts.length === 0 ? combine([]) : verdict;
  const passes = outcome === 'GO' || (outcome === 'ESCALATE' && !fields.privileged);
  return { code: passes ? null : (lead?.code ?? 'TOOL_RESULT_REFUSED'), verdicts };
}
