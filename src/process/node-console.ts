// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { serveConsole, type ConsoleListening } from '../adapters/console-http.ts';
import { writeOwnerOnly } from '../adapters/credential-file.ts';
import { loadOperatorKey } from '../adapters/operator-keys.ts';
import { SqlitePasskeyStore } from '../adapters/passkey-store-sqlite.ts';
import { systemRandom } from '../adapters/random-system.ts';
import { passkeySite } from '../adapters/webauthn.ts';
import { Invites } from '../console/invites.ts';
import type { Passkey } from '../console/passkeys.ts';
import { Sessions } from '../console/sessions.ts';
import type { OperatorKey } from '../identity/operator-key.ts';
import { endorsePasskey, verifyEndorsement } from '../identity/operator-statement.ts';
import { canonicalize } from '../message/canonical-json.ts';
import type { JsonObject } from '../message/json.ts';
import { nodeDirectories } from './directories.ts';
import { ConsoleViews } from './console-views.ts';
import { faultOf } from './fault.ts';
import type { Foundations, Parts } from './node-parts.ts';

/** Ninety days, then the operator endorses the passkey again. */
export const endorsedForMs = 90 * 86_400_000;

export type NodeConsoleOptions = {
  readonly stateDirectory: string;
  /** Folder of the built pages. */
  readonly folder: string;
  readonly port: number;
};

/** What the control interface offers for passkeys; the socket is its access control. */
export type PasskeyApi = {
  /** A one-time link for an operator; null when nobody of that name is one, or nothing is served. */
  readonly link: (operator: string) => string | null;
  readonly passkeys: (operator: string) => readonly JsonObject[];
  /** Takes an endorsement signed with the operator's own key. */
  readonly endorse: (signed: string) => Promise<{ readonly code: string | null }>;
};

/** The console of a running node: pages, sessions, and the passkeys of its operators. */
export class NodeConsole implements PasskeyApi {
  readonly #parts: Parts;
  readonly #foundations: Foundations;
  readonly #passkeys: SqlitePasskeyStore;
  readonly #sessions: Sessions;
  readonly #invites: Invites;
  #listening: ConsoleListening | null = null;
  #views: ConsoleViews | null = null;

  constructor(parts: Parts, foundations: Foundations) {
    const { clock, database } = foundations;
    const bytes = (count: number) => systemRandom.bytes(count);
    this.#parts = parts;
    this.#foundations = foundations;
    this.#passkeys = new SqlitePasskeyStore(database);
    this.#sessions = new Sessions(clock, bytes);
    this.#invites = new Invites(clock, bytes);
  }

  /** Serves the pages; gives the address. Rejects when the port is taken. */
  async serve(options: NodeConsoleOptions): Promise<ConsoleListening> {
    const { log, clock } = this.#foundations;
    const directories = nodeDirectories(options.stateDirectory);
    const { localOperator } = this.#parts;
    const local = localOperator === null
      ? null : await loadOperatorKey(join(directories.operators, `${localOperator}.jwk`));
    this.#views = new ConsoleViews({
      parts: this.#parts, foundations: this.#foundations, directories,
      passkeys: this.#passkeys,
      endorse: (operator, publicKey, credential) =>
        local === null || operator !== localOperator
          ? null : this.#endorseWith(local, operator, publicKey, credential),
    });
    const serving = {
      api: this.#views,
      sessions: this.#sessions,
      invites: this.#invites,
      bytes: (count: number) => systemRandom.bytes(count),
      nowMs: () => clock.nowMs(),
      folder: options.folder,
      report: (failure: unknown) => log(`node: console: ${faultOf(failure)}`),
    };
    const place = join(directories.node, portFile);
    this.#listening = await listenSomewhere(
      await portsToTry(options.port, place), (port) => serveConsole({ ...serving, port }),
    );
    await writeOwnerOnly(place, Buffer.from(String(this.#listening.port)));
    this.#foundations.console.url = this.#listening.url;
    return this.#listening;
  }

  /** The link of the first start, while the operator of this machine has no passkey. */
  firstLink(): string | null {
    const { localOperator } = this.#parts;
    const has = this.#passkeys.all().some(({ operator }) => operator === localOperator);
    return localOperator === null || has ? null : this.link(localOperator);
  }

  link(operator: string): string | null {
    if (this.#listening === null || !this.#parts.approvals.operators.has(operator)) return null;
    // Behind the hash, so that no log of a server or a proxy ever has it.
    return `${this.#listening.url}/sign-in#link=${this.#invites.mint(operator)}`;
  }

  passkeys(operator: string): readonly JsonObject[] {
    return this.#passkeys.all()
      .filter((passkey) => passkey.operator === operator)
      .map(({ credential, publicKey, createdAt, endorsement }) =>
        ({ credential, publicKey, createdAt, site: passkeySite, endorsed: endorsement !== null }));
  }

  async endorse(signed: string): Promise<{ readonly code: string | null }> {
    const { operators } = this.#parts.approvals;
    const verified = verifyEndorsement(signed, (name) => operators.get(name)?.publicKey ?? null);
    if (!verified.ok) return { code: verified.code };
    const { credential, operator, publicKey, site } = verified.statement;
    const passkey = this.#passkeys.get(credential);
    const isSame = passkey?.operator === operator && site === passkeySite &&
      canonicalize(passkey.publicKey) === canonicalize(publicKey);
    if (passkey === null || !isSame) return { code: 'CONSOLE_PASSKEY_REFUSED' };
    await this.#keep({ ...passkey, endorsement: signed });
    return { code: null };
  }

  async close(): Promise<void> {
    await this.#listening?.close();
    this.#views?.close();
  }

  async #keep(passkey: Passkey): Promise<void> {
    await this.#passkeys.save(passkey);
    this.#sessions.endorsed(passkey.credential);
  }

  #endorseWith(
    key: OperatorKey,
    operator: string,
    publicKey: JsonObject,
    credential: string,
  ): string {
    const at = this.#foundations.clock.nowMs();
    return endorsePasskey({
      credential, publicKey, site: passkeySite, until: at + endorsedForMs, operator, at,
      reason: 'registered with the one-time link of this state directory',
    }, key);
  }
}

const portFile = 'console-port';
/** Where a console is looked for first; any free port where it is taken. */
const usualPort = 4848;

/** The asked port alone; else that of the last start, the usual one, and then any that is free. */
async function portsToTry(asked: number, place: string): Promise<readonly number[]> {
  if (asked !== 0) return [asked];
  const last = Number(await readFile(place, 'utf8').catch(() => ''));
  const known = Number.isSafeInteger(last) && last > 0 && last < 65_536 ? [last] : [];
  return [...known, usualPort, 0];
}

async function listenSomewhere(
  ports: readonly number[],
  listen: (port: number) => Promise<ConsoleListening>,
): Promise<ConsoleListening> {
  const [first = 0, ...rest] = ports;
  try {
    return await listen(first);
  } catch (failure) {
    const isTaken = failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE';
    if (!isTaken || rest.length === 0) throw failure;
    return listenSomewhere(rest, listen);
  }
}

/** Where the built pages lie: beside the sources, or in the package. Null where they were not built. */
export function consoleFolder(): string | null {
  const places = ['../../console/dist', '../pages'].map((place) => join(import.meta.dirname, place));
  return places.find((place) => existsSync(join(place, 'index.html'))) ?? null;
}
