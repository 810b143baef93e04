// SPDX-License-Identifier: Apache-2.0
import { channels } from '../message/channel.ts';
import type { FirewallBand, FirewallSettings } from './firewall-settings.ts';
import { defaultBand, shippedChannelBands } from './firewall-settings.ts';
import type { Loading } from './loading.ts';
import { entryShapes } from './mesh-file.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

type GivenBand = { readonly escalate_at?: number | undefined; readonly refuse_at?: number | undefined };

const classifications = ['public', 'internal', 'confidential', 'restricted'] as const;
const path: Path = ['security_mesh', 'firewall'];

/** The section `firewall`: absent means the model of the package with its own thresholds. */
export function resolveFirewall(loading: Loading, raw: unknown): FirewallSettings {
  const given = shaped(loading, raw);
  const band = bandOf(given, defaultBand);
  checkBand(loading, band, path);
  const isShipped = given.model === 'compact' && given.escalate_at === undefined && given.refuse_at === undefined;
  const shipped: FirewallSettings['channels'] = isShipped ? shippedChannelBands : {};
  const bandsOf = <Name extends string>(
    names: readonly Name[],
    bands: { readonly [name in Name]?: GivenBand | undefined },
    bases: { readonly [name in Name]?: FirewallBand },
    section: string,
  ): { readonly [name in Name]?: FirewallBand } => {
    const found: { [name in Name]?: FirewallBand } = { ...bases };
    for (const name of names) {
      const own = bands[name];
      if (own === undefined) continue;
      const whole = bandOf(own, bases[name] ?? band);
      checkBand(loading, whole, [...path, section, name]);
      found[name] = whole;
    }
    return found;
  };
  return {
    model: resolveModel(loading, given),
    timeoutMs: given.timeout_ms,
    band,
    channels: bandsOf(channels, given.channels, shipped, 'channels'),
    classifications: bandsOf(classifications, given.classifications, {}, 'classifications'),
  };
}

function shaped(loading: Loading, raw: unknown) {
  if (raw !== undefined) {
    const result = parseShape(entryShapes.firewall, loading.source, path, raw);
    if (result.ok) return result.value;
    loading.diagnostics.push(...result.diagnostics);
  }
  return entryShapes.firewall.parse({});
}

/** A model from a file is code that decides: it is taken only with its hash. */
function resolveModel(
  loading: Loading,
  { model, sha256, attack_labels: attackLabels }: ReturnType<typeof shaped>,
): FirewallSettings['model'] {
  const isOnnx = model.endsWith('.onnx');
  if (attackLabels !== undefined && !isOnnx) loading.report('MESH_FIREWALL_LABELS', [...path, 'attack_labels']);
  if (model === 'compact' || model === 'none') return model;
  if (sha256 === undefined) loading.report('MESH_FIREWALL_MODEL_UNPINNED', [...path, 'model']);
  return { file: loading.absolute(model), sha256: sha256 ?? '', attackLabels: attackLabels ?? null };
}

function bandOf(own: GivenBand, base: FirewallBand): FirewallBand {
  return { escalateAt: own.escalate_at ?? base.escalateAt, refuseAt: own.refuse_at ?? base.refuseAt };
}

function checkBand(loading: Loading, band: FirewallBand, place: Path): void {
  if (!(band.escalateAt <= band.refuseAt)) loading.report('MESH_FIREWALL_BAND', place);
}
