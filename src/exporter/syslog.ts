// SPDX-License-Identifier: Apache-2.0
import { Buffer } from 'node:buffer';
import type { JsonObject } from '../message/json.ts';

/** Facility 10, `authpriv` (RFC 5424, section 6.2.1). */
const facility = 10;
/** OCSF severity to syslog severity: informational, notice, warning, error. */
const severities: { readonly [severityId: number]: number } = { 1: 6, 2: 5, 3: 4, 4: 3 };

/**
 * An OCSF event as one syslog message (RFC 5424) in a frame with octet counting (RFC 5425, section
 * 4.3.1). The event is the message, as UTF-8 JSON behind the byte order mark that RFC 5424 asks for.
 * `host` has been checked by the caller to be printable ASCII without spaces.
 */
export function syslogFrame(event: JsonObject, host: string): Buffer {
  const severity = severities[Number(event['severity_id'])] ?? 6;
  const time = new Date(Number(event['time'])).toISOString();
  const header = `<${facility * 8 + severity}>1 ${time} ${host} maso - ocsf - `;
  const message = Buffer.from(`${header}\uFEFF${JSON.stringify(event)}`, 'utf8');
  return Buffer.concat([Buffer.from(`${message.length} `, 'ascii'), message]);
}
