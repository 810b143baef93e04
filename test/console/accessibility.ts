// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { expect, it } from 'vitest';
import type { Person } from './browser.ts';
import type { ConsoleMesh } from './console-mesh.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

type Finding = { readonly id: string; readonly impact: string | null; readonly nodes: readonly { readonly html: string }[] };

/** Every view, by its place; one held action is made for it. */
async function viewsOf(mesh: ConsoleMesh): Promise<{ readonly places: readonly string[]; readonly held: Awaited<ReturnType<ConsoleMesh['hold']>> }> {
  const held = await mesh.hold('refund', {
    invoice: 'open-0001', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: 'open-0001-key',
  });
  const places = [
    '/', '/approvals', `/approvals/${held.id}`, '/mesh', '/trace', `/trace/${held.message}`, '/agents',
    '/agents/payments', '/stops', '/anomaly', '/anomaly/payments', '/intent', '/contagion', '/controls', '/recorder', '/costs',
    `/costs/${held.task}`, '/mesh?zone=core', '/log', '/workflows', '/find?search=pay',
  ];
  return { places, held };
}

/** Tests of every view for everybody, on the mesh and in the browser of the tests beside them. */
export function accessibilityTests(ground: () => { readonly mesh: ConsoleMesh; readonly alice: Person }): void {
  let views: readonly string[] = [];

  /** What axe calls serious or critical on the page as it stands. */
  async function serious(rules: readonly string[] = []): Promise<readonly string[]> {
    const { alice } = ground();
    const found = await alice.page.evaluate(async (runOnly): Promise<unknown> => {
      const run: unknown = Reflect.get(globalThis, 'axe');
      const { violations } = await (run as { run: (options: object) => Promise<{ violations: unknown }> })
        .run(runOnly.length === 0 ? {} : { runOnly: [...runOnly] });
      return violations;
    }, rules) as readonly Finding[];
    return found.filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(' | ')}`);
  }

  async function look(view: string, rules: readonly string[] = []): Promise<readonly string[]> {
    const { alice, mesh } = ground();
    await alice.page.goto(mesh.url + view);
    await alice.page.locator('#page-title').waitFor();
    await alice.page.waitForLoadState('load');
    await alice.page.locator('.spinner').first().waitFor({ state: 'detached' });
    // Through the debugger, because the page's own policy lets no other script in.
    await alice.page.evaluate(axe);
    return serious(rules);
  }

  it.each(['light', 'dark'] as const)('has no serious finding of axe in %s', async (colorScheme) => {
    const { alice, mesh } = ground();
    if (views.length === 0) views = (await viewsOf(mesh)).places;
    await alice.page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const found: { [view: string]: readonly string[] } = {};
    // Of all rules these depend on colours; every other one says in the dark what it said in the light.
    const rules = colorScheme === 'light' ? [] : ['color-contrast', 'link-in-text-block'];
    for (const view of views) found[view] = await look(view, rules);
    expect(Object.fromEntries(Object.entries(found).filter(([, all]) => all.length > 0))).toEqual({});
  });

  it('has none at phone width, and nothing that runs out of the page', async () => {
    const { alice } = ground();
    await alice.page.setViewportSize({ width: 390, height: 844 });
    for (const view of views) {
      expect([view, await look(view)]).toEqual([view, []]);
      const [width, page] = await alice.page.evaluate((): [number, number] => {
        const root: unknown = Reflect.get(Reflect.get(globalThis, 'document') as object, 'documentElement');
        return [Number(Reflect.get(root as object, 'scrollWidth')), Number(Reflect.get(root as object, 'clientWidth'))];
      });
      expect([view, width <= page + 1]).toEqual([view, true]);
    }
    await alice.page.setViewportSize({ width: 1280, height: 860 });
  });

  it('asks before a kill in a dialog that has none either, and that Escape closes', async () => {
    const { alice: { page }, mesh } = ground();
    await page.goto(`${mesh.url}/stops`);
    await page.getByRole('button', { name: 'Kill the mesh' }).click();
    await page.getByRole('dialog').waitFor();
    await page.evaluate(axe);
    expect(await serious()).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  it('is reached and used by keyboard alone', async () => {
    const { alice: { page }, mesh } = ground();
    await page.emulateMedia({ colorScheme: 'light' });
    const held = await mesh.hold('refund', {
      invoice: 'keys-0001', payee: 'ACME-SUPPLIES', amount: 10, idempotency_key: 'keys-0001-key',
    });
    await page.goto(`${mesh.url}/approvals?search=keys-0001`);
    await page.locator('.card-line').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    for (let tabs = 0; tabs < 20; tabs += 1) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => Reflect.get(Reflect.get(Reflect.get(globalThis, 'document') as object, 'activeElement') as object, 'className') === 'card-line')) break;
    }
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Held action' }).waitFor();
    await page.getByLabel(/What did you check/).focus();
    await page.keyboard.type('the invoice, by keyboard');
    for (const _step of [1, 2]) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText(/Denied and signed/).waitFor();
    await held.end;
  });
}
