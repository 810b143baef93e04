// SPDX-License-Identifier: Apache-2.0
import { loadCompactModel } from '../adapters/firewall-model-file.ts';
import { readOnnxFiles } from '../adapters/onnx-model-files.ts';
import { firewallCodes } from '../firewall/codes.ts';
import { FirewallError } from '../firewall/firewall-error.ts';
import type { Diagnostic } from '../mesh/diagnostic.ts';
import type { ModelChoice } from '../mesh/firewall-settings.ts';
import type { LoadedMesh } from '../mesh/load.ts';

/**
 * A model of the user's own that is not there, not the pinned one or no model. A warning: such a mesh
 * starts, and its firewall then answers nothing, so that texts are escalated or refused by risk class.
 */
export function firewallDiagnostics(loaded: LoadedMesh): readonly Diagnostic[] {
  if (!loaded.ok) return [];
  const { model } = loaded.mesh.firewall;
  if (model === 'compact' || model === 'none') return [];
  try {
    read(model);
    return [];
  } catch (error) {
    if (!(error instanceof FirewallError)) throw error;
    const { means, mend } = firewallCodes[error.code];
    const place = loaded.placed.at(['security_mesh', 'firewall', 'model']);
    return [{ ...place, code: error.code, message: means, mend, severity: 'warning' }];
  }
}

function read(model: ModelChoice): void {
  if (model.file.endsWith('.onnx')) readOnnxFiles(model);
  else loadCompactModel(model);
}
