// SPDX-License-Identifier: Apache-2.0
import { shippedModelFile } from '../adapters/firewall-model-file.ts';
import { systemFirewallTiming } from '../adapters/firewall-timing.ts';
import { CompactInjectionModel } from '../adapters/injection-model-compact.ts';
import { OnnxInjectionModel } from '../adapters/injection-model-onnx.ts';
import type { InjectionModel } from '../firewall/injection-model.ts';
import { noInjectionModel } from '../firewall/injection-model.ts';
import type { FirewallSettings } from '../mesh/firewall-settings.ts';
import type { SidecarContext } from '../sidecar/context.ts';

/** One per model file: sidecars of one process share it, and it lives as long as the process. */
const models = new Map<string, InjectionModel>();

/**
 * The firewall that a mesh file asks for. A model that cannot be loaded does not stop the start:
 * every text then gets the verdict of a firewall that cannot answer, and `report` hears why.
 */
export function firewallOf(
  { model, timeoutMs }: FirewallSettings,
  report: (failure: unknown) => void,
): SidecarContext['firewall'] {
  if (model === 'none') return { model: noInjectionModel };
  const key = model === 'compact' ? model : JSON.stringify([model.file, model.sha256, model.attackLabels]);
  const shared = models.get(key) ?? started(model, timeoutMs, report);
  models.set(key, shared);
  return { model: shared, timing: systemFirewallTiming };
}

function started(
  model: Exclude<FirewallSettings['model'], 'none'>,
  timeoutMs: number,
  report: (failure: unknown) => void,
): InjectionModel {
  if (model === 'compact') return new CompactInjectionModel({ file: shippedModelFile(), report });
  if (!model.file.endsWith('.onnx')) return new CompactInjectionModel({ file: model, report });
  return new OnnxInjectionModel({ model, giveUpAfterMs: timeoutMs, report });
}
