// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { editSample, loadFiles, sampleMesh } from '../../test/mesh-files/sample.ts';
import { deselectedVersion, deselectionLine, deselectionOf, guaranteed } from './deselection.ts';

function loadedWith(id: string) {
  return loadFiles(editSample('id: PG-1.5', `id: ${id}`));
}

describe('a control that is deselected', () => {
  it.each([...guaranteed])('is refused where guarantees rest on it: %s', (id) => {
    const loaded = loadedWith(id);
    expect(loaded.ok).toBe(false);
    expect(loaded.diagnostics.map(({ code }) => code)).toEqual(['MESH_CONTROL_GUARANTEED']);
  });

  it.each([['PG-2.1', 'semantic-firewall'], ['EC-2.5', 'model-as-judge']] as const)(
    '%s is found by the control that it switches off', (id, control) => {
      const loaded = loadedWith(id);
      const mesh = loaded.ok ? loaded.mesh : sampleMesh();
      const off = deselectionOf(mesh, control);
      expect(off?.id).toBe(id);
      expect(off === null ? '' : deselectedVersion(off)).toContain('security@example.org');
      expect(off === null ? '' : deselectionLine(off)).toContain(`the ${control} is not run`);
    },
  );

  it('that this build cannot switch off is said to be on record alone', () => {
    const [control] = sampleMesh().deselected;
    expect(control === undefined ? '' : deselectionLine(control)).toContain('switches nothing off');
    expect(deselectionOf(sampleMesh(), 'semantic-firewall')).toBeNull();
    expect(deselectionOf(sampleMesh(), 'model-as-judge')).toBeNull();
  });
});
