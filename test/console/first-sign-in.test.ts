// SPDX-License-Identifier: Apache-2.0
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/message/json.ts';
import { MeshFolder, until, up, type MasoProcess } from '../mesh-harness/running-mesh.ts';
import { hasChromium, launch, Person } from './browser.ts';

const root = join(import.meta.dirname, '../..');
/** No operator is named, so the node makes one and prints a link for whoever started it. */
const meshText = `security_mesh:
  global: { development: true }
  zones: { core: {} }
`;

describe.skipIf(!hasChromium)('the first start of a mesh without operators (needs chromium)', () => {
  let folder: MeshFolder;
  let mesh: MasoProcess;
  let browser: Browser;
  let url = '';
  let link = '';

  beforeAll(async () => {
    spawnSync(process.execPath, ['scripts/build-console.ts'], { cwd: root, stdio: 'inherit' });
    folder = await MeshFolder.create({ 'security_mesh.yaml': meshText });
    [browser, mesh] = await Promise.all([launch(), up(folder)]);
    const opened = mesh.ready['console'] as JsonObject;
    url = String(opened['url']);
    link = String(opened['firstLink']);
  });
  afterAll(async () => {
    await browser?.close();
    await mesh?.stop();
    await folder?.remove();
  });

  const signedIn = (times: number) => until(`session ${times} on record`, async () => {
    const entries = await folder.entries();
    return entries.filter(({ kind, actor }) => kind === 'session.opened' && actor === 'operator:local').length === times;
  });

  it('signs in who has its one-time link, once, with a passkey from then on', async () => {
    const local = await Person.at(browser);
    await local.register(link);
    await local.page.getByRole('heading', { name: 'Now' }).waitFor();
    await signedIn(1);

    const thief = await Person.at(browser);
    await thief.page.goto(link);
    await thief.page.getByText(/link was used|CONSOLE_LINK_REFUSED/).first().waitFor();
    expect((await fetch(`${url}/api/views/overview`)).status).toBe(401);

    await local.page.getByRole('button', { name: 'Sign out' }).click();
    await local.page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await local.page.getByRole('heading', { name: 'Now' }).waitFor();
    await signedIn(2);
    expect([...local.complaints, ...local.strays]).toEqual([]);
  });

  it('prints no link again once somebody has a passkey', async () => {
    await mesh.stop();
    mesh = await up(folder);
    expect((mesh.ready['console'] as JsonObject)['firstLink']).toBeNull();
  });
});
