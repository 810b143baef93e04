// SPDX-License-Identifier: Apache-2.0
// Pictures of every view of the console, light, dark and at phone width, into docs/pictures:
// `npm run pictures [-- FOLDER]`; into another folder they are PNG, to look at. They show the story of
// examples/mail-to-bank on a mesh of its own, as a newcomer sees it. Needs Debian's Chromium.
import { spawn } from 'node:child_process';
import { Buffer } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { launch, Person } from '../test/console/browser.ts';

const root = join(import.meta.dirname, '..');
const [given] = process.argv.slice(2);
const folder = resolve(given ?? join(root, 'docs/pictures'));
const isSmall = given === undefined;
const webpQuality = 0.8;
mkdirSync(folder, { recursive: true });

const story = spawn(process.execPath, ['examples/mail-to-bank/run.ts'], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
const link = await new Promise<string>((found, failed) => {
  let said = '';
  story.stdout.on('data', (text: Buffer) => {
    said += text.toString();
    const [all] = /http:\/\/localhost:\d+\/sign-in#link=\S+/.exec(said) ?? [];
    if (all !== undefined && said.includes('until Ctrl-C')) found(all);
  });
  story.once('exit', () => failed(new Error(`the story ended:\n${said}`)));
});
const browser = await launch();
let blank: Page | null = null;
try {
  const person = await Person.at(browser, { viewport: { width: 1280, height: 860 } });
  const { page } = person;
  const { origin } = new URL(link);
  await page.goto(link);
  await page.getByRole('button', { name: 'Register a passkey' }).waitFor();
  await take(page, 'sign-in');
  await page.getByRole('button', { name: 'Register a passkey' }).click();
  await page.getByRole('heading', { name: 'Now' }).waitFor();
  for (const [name, place] of Object.entries(await viewsOf(page, origin))) {
    await page.goto(origin + place);
    await page.locator('#page-title').waitFor();
    await page.locator('.spinner').first().waitFor({ state: 'detached' });
    await page.waitForTimeout(1_500);
    await take(page, name);
  }
} finally {
  await browser.close();
  story.kill('SIGINT');
}

/** Every view, with a held payment, and the payment that a poisoned mail asked for. */
async function viewsOf(page: Page, origin: string): Promise<{ readonly [name: string]: string }> {
  const hrefOf = async (place: string, pattern: string): Promise<string> => {
    await page.goto(origin + place);
    const found = page.locator(`main a[href^="${pattern}"]`).first();
    await found.waitFor();
    return (await found.getAttribute('href')) ?? place;
  };
  return {
    now: '/', approvals: '/approvals', card: await hrefOf('/approvals', '/approvals/'), mesh: '/mesh', traces: '/trace',
    trace: await hrefOf('/log?code=POLICY_SOURCE_UNTRUSTED', '/trace/'), agents: '/agents', agent: '/agents/payments',
    stops: '/stops', anomaly: '/anomaly', baselines: '/anomaly/payments', contagion: '/contagion', intent: '/intent',
    controls: '/controls', recorder: '/recorder', costs: '/costs', ledger: await hrefOf('/costs', '/costs/'), log: '/log',
    workflows: '/workflows', find: '/find?search=payments',
  };
}

async function take(page: Page, name: string): Promise<void> {
  for (const [suffix, width, height, colorScheme] of [
    ['', 1280, 860, 'light'], ['-dark', 1280, 860, 'dark'], ['-phone', 390, 844, 'light'],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    await page.waitForTimeout(300);
    const png = await page.screenshot();
    if (isSmall) writeFileSync(join(folder, `${name}${suffix}.webp`), await smaller(png));
    else writeFileSync(join(folder, `${name}${suffix}.png`), png);
  }
  await page.setViewportSize({ width: 1280, height: 860 });
}

/** The same as WebP, made by the browser, on a page whose policy lets it. */
async function smaller(png: Buffer): Promise<Buffer> {
  blank ??= await browser.newPage();
  const text = await blank.evaluate(async ([given, quality]) => {
    const of = (name: string): new (...args: readonly unknown[]) => object => Reflect.get(globalThis, name) as never;
    const image = new (of('Image'))() as { src: string; decode: () => Promise<void>; width: number; height: number };
    image.src = `data:image/png;base64,${given}`;
    await image.decode();
    const canvas = Reflect.get(globalThis, 'document').createElement('canvas');
    [canvas.width, canvas.height] = [image.width, image.height];
    canvas.getContext('2d').drawImage(image, 0, 0);
    return String(canvas.toDataURL('image/webp', quality));
  }, [png.toString('base64'), webpQuality] as const);
  return Buffer.from(text.slice(text.indexOf(',') + 1), 'base64');
}
