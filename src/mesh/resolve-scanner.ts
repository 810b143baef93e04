// SPDX-License-Identifier: Apache-2.0
import { RE2JS } from 're2js';
import type { z } from 'zod';
import type { Loading } from './loading.ts';
import { combinationsOf, dataPolicyOf, rulePackShape } from './scanner-settings.ts';
import type { RulePack, scannerShape, ScannerSettings, Suppression } from './scanner-settings.ts';
import type { Path } from './yaml-source.ts';
import { parseShape } from './zod-diagnostics.ts';

const dayMs = 86_400_000;

/** Settings of the scanner. A pack that cannot be read, or a rule that does not compile, is an error. */
export function resolveScanner(
  loading: Loading,
  given: z.output<typeof scannerShape> | undefined,
): ScannerSettings {
  const base: Path = ['security_mesh', 'scanner'];
  const packs = (given?.rule_packs ?? []).flatMap((file, index) => {
    const pack = resolvePack(loading, file, [...base, 'rule_packs', index]);
    return pack === null ? [] : [pack];
  });
  const suppressions = (given?.suppressions ?? []).map((item): Suppression => ({
    rule: item.rule,
    path: item.path ?? null,
    ...(item.file === undefined ? {} : { file: item.file }),
    reason: item.reason,
    by: item.by,
    expiresAt: Date.parse(`${item.expires}T00:00:00Z`) + dayMs,
  }));
  const { at_bus: atBus = 'crossings' } = given ?? {};
  return { data: dataPolicyOf(given?.data), packs, suppressions, combinations: combinationsOf(given), atBus };
}

function resolvePack(loading: Loading, file: string, path: Path): RulePack | null {
  const source = loading.file(file, path);
  if (source === null) return null;
  const parsed = parseShape(rulePackShape, source, [], source.value);
  if (!parsed.ok) {
    loading.diagnostics.push(...parsed.diagnostics);
    return null;
  }
  let compiles = true;
  for (const [index, rule] of parsed.value.rules.entries()) {
    try {
      RE2JS.compile(rule.pattern);
    } catch {
      // The engine's own message quotes the expression, which may hold what it is to find.
      loading.add('MESH_PATTERN_INVALID', 'error', source.at(['rules', index, 'pattern']));
      compiles = false;
    }
  }
  return compiles ? parsed.value : null;
}
