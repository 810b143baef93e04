// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../message/json.ts';

/** A passkey that an operator registered in a browser. */
export type Passkey = {
  /** Credential id, base64url. */
  readonly credential: string;
  readonly operator: string;
  /** As the authenticator gave it (COSE), base64url; for signing in. */
  readonly coseKey: string;
  /** The same as JWK; for what it signs. */
  readonly publicKey: JsonObject;
  readonly counter: number;
  readonly createdAt: number;
  /** Signed with the operator's own key; null until it is. */
  readonly endorsement: string | null;
};

/** Keeps passkeys; a resolved call survives `kill -9`. */
export interface PasskeyStore {
  all(): readonly Passkey[];
  get(credential: string): Passkey | null;
  save(passkey: Passkey): Promise<void>;
}
