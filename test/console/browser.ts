// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type CDPSession, type Page } from 'playwright-core';

export const chromiumPath = '/usr/bin/chromium';
export const hasChromium = existsSync(chromiumPath);

/** Debian's Chromium, headless; as root it has no sandbox of its own. */
export function launch(): Promise<Browser> {
  const asRoot = process.getuid?.() === 0;
  return chromium.launch({
    executablePath: chromiumPath,
    args: asRoot ? ['--no-sandbox', '--disable-dev-shm-usage'] : ['--disable-dev-shm-usage'],
  });
}

/** A person at a browser of their own, with an authenticator that says yes. */
export class Person {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page's console said, and what it could not load; empty while all is well. */
  readonly complaints: string[] = [];
  /** Requests to anywhere but the console. */
  readonly strays: string[] = [];
  readonly #authenticator: CDPSession;
  readonly #id: string;

  static async at(browser: Browser, options: Parameters<Browser['newContext']>[0] = {}): Promise<Person> {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('WebAuthn.enable');
    const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
      options: {
        protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
        isUserVerified: true, automaticPresenceSimulation: true,
      },
    });
    return new Person(context, page, session, authenticatorId);
  }

  private constructor(context: BrowserContext, page: Page, authenticator: CDPSession, id: string) {
    this.context = context;
    this.page = page;
    this.#authenticator = authenticator;
    this.#id = id;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.text().includes('Content Security Policy')) {
        this.complaints.push(message.text());
      }
    });
    page.on('pageerror', (failure) => this.complaints.push(String(failure)));
    page.on('request', (request) => {
      const { hostname, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && hostname !== 'localhost') this.strays.push(request.url());
    });
  }

  /** Whether the authenticator confirms its user from here on. */
  async confirms(isVerified: boolean): Promise<void> {
    await this.#authenticator.send('WebAuthn.setUserVerified', {
      authenticatorId: this.#id, isUserVerified: isVerified,
    });
  }

  /** Opens a page, and signs in where a restart has signed everybody out. Says why when that fails. */
  async comeBack(url: string): Promise<void> {
    const { page } = this;
    await page.goto(url);
    const signIn = page.getByRole('button', { name: 'Sign in with a passkey' });
    const live = page.locator('.stream.open');
    const refused = page.getByRole('alert');
    await signIn.or(live).first().waitFor({ timeout: 60_000 });
    if (!(await signIn.isVisible())) return;
    await signIn.click();
    await live.or(refused).first().waitFor({ timeout: 60_000 });
    if (!(await live.isVisible())) throw new Error(`not signed in: ${await refused.first().innerText()}`);
  }

  /** Opens a one-time link and registers a passkey. */
  async register(link: string): Promise<void> {
    await this.page.goto(link);
    await this.page.getByRole('button', { name: 'Register a passkey' }).click();
  }
}
