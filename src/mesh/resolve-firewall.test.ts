// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { bandFor, defaultBand, shippedChannelBands, shippedFirewall } from './firewall-settings.ts';
import { loadMesh } from './load.ts';

function load(firewall: string) {
  const text = `security_mesh:\n  firewall: ${firewall}\n`;
  const loaded = loadMesh('/mesh/security_mesh.yaml', text, () => null);
  const codes = loaded.diagnostics.filter(({ severity }) => severity === 'error').map(({ code }) => code);
  return { codes, settings: loaded.ok ? loaded.mesh.firewall : null };
}

describe('firewall section', () => {
  it.each<[string, string]>([
    ['{ model: own.model }', 'MESH_FIREWALL_MODEL_UNPINNED'],
    ['{ escalate_at: 0.9, refuse_at: 0.5 }', 'MESH_FIREWALL_BAND'],
    ['{ channels: { email: { refuse_at: 0.1 } } }', 'MESH_FIREWALL_BAND'],
    ['{ classifications: { restricted: { refuse_at: 0.1 } } }', 'MESH_FIREWALL_BAND'],
    ['{ escalate_at: 0 }', 'MESH_VALUE_INVALID'],
    ['{ refuse_at: 1.5 }', 'MESH_VALUE_INVALID'],
    ['{ sha256: abc }', 'MESH_VALUE_INVALID'],
    ['{ timeout_ms: 0 }', 'MESH_VALUE_INVALID'],
    ['{ attack_labels: [LABEL_1] }', 'MESH_FIREWALL_LABELS'],
    ['{ model: own.onnx, attack_labels: [] }', 'MESH_VALUE_INVALID'],
  ])('refuses %s', (section, code) => {
    expect(load(section).codes).toContain(code);
  });

  it('is the model of the package with its own thresholds when absent', () => {
    expect(load('{}').settings).toEqual(shippedFirewall);
  });

  it('has bands of channels of its own only for its own model, and where the file names no general one', () => {
    expect(load('{ timeout_ms: 40 }').settings?.channels).toEqual(shippedChannelBands);
    expect(load('{ escalate_at: 0.7 }').settings).toMatchObject({ band: { escalateAt: 0.7, refuseAt: defaultBand.refuseAt }, channels: {} });
    expect(load(`{ model: own.model, sha256: ${'a'.repeat(64)} }`).settings?.channels).toEqual({});
    const { web } = shippedChannelBands;
    expect(load('{ channels: { web: { escalate_at: 0.5 } } }').settings?.channels).toEqual({
      ...shippedChannelBands, web: { ...web, escalateAt: 0.5 },
    });
  });

  it('takes a pinned file, relative to the mesh file', () => {
    const sha256 = 'a'.repeat(64);
    expect(load(`{ model: own.model, sha256: ${sha256} }`).settings?.model).toEqual({ file: '/mesh/own.model', sha256, attackLabels: null });
    expect(load(`{ model: own.onnx, sha256: ${sha256}, attack_labels: [LABEL_1] }`).settings?.model).toEqual({
      file: '/mesh/own.onnx', sha256, attackLabels: ['LABEL_1'],
    });
  });

  it('lets the stricter of channel and classification count, at either end', () => {
    const { settings } = load(
      '{ escalate_at: 0.5, refuse_at: 0.9, channels: { web: { escalate_at: 0.6 } }, classifications: { restricted: { escalate_at: 0.3, refuse_at: 0.95 } } }',
    );
    if (settings === null) throw new Error('The section is refused.');
    expect(bandFor(settings, 'email', 'public')).toEqual({ escalateAt: 0.5, refuseAt: 0.9 });
    expect(bandFor(settings, 'web', 'public')).toEqual({ escalateAt: 0.6, refuseAt: 0.9 });
    expect(bandFor(settings, 'web', 'restricted')).toEqual({ escalateAt: 0.3, refuseAt: 0.9 });
  });
});
