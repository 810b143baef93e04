// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeBody } from '../message/envelope.ts';
import { exchangeRefusal } from '../protection/exchange.ts';
import { openedClear, type Opened, type Sealed } from '../protection/protection.ts';
import type { SidecarContext } from './context.ts';

/**
 * The body as it may leave the sidecar: as it is in a PLAINTEXT domain, sealed in a RETRIEVAL one. What
 * the domain would refuse anyway is refused here, with the code that the bus would give: the payload
 * of a tier that cannot be provided does not even reach the bus.
 */
export function sealBody(body: EnvelopeBody, context: SidecarContext): Sealed | Promise<Sealed> {
  const { mesh, clock, protection } = context;
  const domain = mesh.domains.get(body.domain);
  // A domain that nobody declared is the bus's to refuse: nothing says how it is to be protected.
  if (domain === undefined || domain.tier === 'PLAINTEXT') return { ok: true, body, item: null };
  const { notBeforeMs, expiresAtMs } = context.credential();
  const refusal = exchangeRefusal(
    domain,
    {
      credential: { issuedAtMs: notBeforeMs, expiresAtMs },
      roles: [body.from, body.to].flatMap((name) => mesh.agents.get(name)?.role ?? []),
      // Nobody's runtime is proven in this build.
      attested: () => false,
    },
    clock.nowMs(),
    protection,
  );
  return refusal === null ? protection.seal(body, domain) : { ok: false, code: refusal.code };
}

/** The body with its payload in clear, as the controls of the recipient and its agent read it. */
export function openBody(
  body: EnvelopeBody,
  item: string | null,
  context: SidecarContext,
): Opened | Promise<Opened> {
  const domain = context.mesh.domains.get(body.domain);
  if (domain === undefined || domain.tier === 'PLAINTEXT') return openedClear(body, item);
  return context.protection.open(body, item, domain);
}
