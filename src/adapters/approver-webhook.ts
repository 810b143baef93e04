// SPDX-License-Identifier: Apache-2.0
import type { ApprovalWebhook } from '../mesh/oversight.ts';
import type { Alarm, Approver, Notice } from '../oversight/approver.ts';
import { readToken } from './export-files.ts';
import { HttpPoster } from './export-http.ts';

const timeoutMs = 5_000;

/**
 * Tells webhooks what waits, by reference: no parameter, no text of an agent, no name of a person.
 * `settings` is asked each time, so that a new version of the mesh file counts at once. Rejects when
 * one of them did not take the word; the others have it all the same.
 */
export class WebhookApprover implements Approver {
  readonly #settings: () => readonly ApprovalWebhook[];
  readonly #consoleUrl: () => string | null;

  constructor(settings: () => readonly ApprovalWebhook[], consoleUrl: () => string | null) {
    this.#settings = settings;
    this.#consoleUrl = consoleUrl;
  }

  get configured(): boolean {
    return this.#settings().length > 0;
  }

  get name(): string {
    return this.#settings().map(({ name }) => name).join(', ') || 'none (not configured)';
  }

  waiting(notice: Notice): Promise<void> {
    return this.#tellAll((hook) => noticeBody(hook, notice, this.#consoleUrl()));
  }

  alarm(alarm: Alarm): Promise<void> {
    return this.#tellAll((hook) => alarmBody(hook, alarm));
  }

  async #tellAll(bodyFor: (hook: ApprovalWebhook) => object): Promise<void> {
    const told = await Promise.allSettled(this.#settings().map((hook) => this.#tell(hook, bodyFor(hook))));
    const failed = told.filter(({ status }) => status === 'rejected').length;
    if (failed > 0) throw new Error(`${failed} webhooks did not take the word.`);
  }

  async #tell(hook: ApprovalWebhook, body: object): Promise<void> {
    const endpoint = hook.url ?? (hook.urlFile === null ? null : await readToken(hook.urlFile));
    if (endpoint === null) throw new Error(`The webhook ${hook.name} has no address.`);
    const poster = new HttpPoster({ endpoint, credentialFile: null, caFile: null });
    try {
      const posted = await poster.post('', Buffer.from(JSON.stringify(body)), AbortSignal.timeout(timeoutMs));
      if (!posted.ok) throw new Error(`The webhook ${hook.name} refused: ${posted.code}.`);
    } finally {
      poster.close();
    }
  }
}

/** Slack takes `text`; others take the members of the notice as they are. */
function noticeBody(hook: ApprovalWebhook, notice: Notice, consoleUrl: string | null): object {
  const { says, place, command } = wordsOf(notice);
  const link = consoleUrl === null ? null : consoleUrl + place;
  if (hook.kind === 'json') return { ...notice, link };
  const until = new Date(notice.expiresAt).toISOString();
  return { text: `${says} waits for a person until ${until}: ${link ?? command}` };
}

/** What waits, its place in the console, and the command that shows it. */
function wordsOf(
  notice: Notice,
): { readonly says: string; readonly place: string; readonly command: string } {
  if (notice.waits === 'action') {
    const { approval, action, risk, executor } = notice;
    return {
      says: `${risk} action ${action} of ${executor}`,
      place: `/approvals/${approval}`, command: `maso approvals show ${approval}`,
    };
  }
  const { change, workflow, agent, opens, closes } = notice;
  return {
    says: `A change of workflow ${workflow} by ${agent} (opens ${opens}, closes ${closes})`,
    place: `/workflows/${change}`, command: `maso workflow show ${change}`,
  };
}

function alarmBody(hook: ApprovalWebhook, alarm: Alarm): object {
  if (hook.kind === 'json') return { alarm };
  const { code, message, agents, owners, done } = alarm;
  const whose = owners.length === 0 ? '' : ` (${owners.join(', ')})`;
  return {
    text: `${code}: reached ${agents.join(', ') || 'nobody'}${whose}; ${done} actions were done on it: maso recorder reach ${message}`,
  };
}
