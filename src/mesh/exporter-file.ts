// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';

const filePath = z.string().min(1).max(1024);
const endpoint = z.string().min(1).max(2048);
const authority = { ca_file: filePath.optional() };

/** One place where entries of the flight recorder go: exactly one of these keys. */
export const exporterShape = z.strictObject({
  otlp: z.strictObject({
    endpoint,
    signals: z.array(z.enum(['traces', 'metrics', 'logs'])).min(1).max(3)
      .default(['traces', 'metrics', 'logs']),
    metrics_interval_ms: z.int().min(1000).max(3_600_000).default(15_000),
    credential_file: filePath.optional(),
    ...authority,
  }).optional(),
  prometheus: z.strictObject({ port: z.int().min(1).max(65_535) }).optional(),
  siem_http: z.strictObject({ endpoint, credential_file: filePath.optional(), ...authority })
    .optional(),
  siem_syslog: z.strictObject({
    host: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/),
    port: z.int().min(1).max(65_535).default(6514),
    certificate_file: filePath.optional(),
    key_file: filePath.optional(),
    ...authority,
  }).optional(),
  siem_file: z.strictObject({ path: filePath }).optional(),
});
