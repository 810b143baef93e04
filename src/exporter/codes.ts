// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** Why entries do not leave the mesh. None of it slows the mesh; each shows in the status. */
export const exporterCodes = {
  EXPORT_ENDPOINT_UNREACHABLE: {
    means: 'The endpoint cannot be reached, or hung up before it confirmed.',
    mend: 'Look at the endpoint and the way to it; the exporter tries again by itself.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_ENDPOINT_LATE: {
    means: 'The endpoint did not confirm in time.',
    mend: 'Look at the load of the endpoint; the exporter tries again by itself.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_ENDPOINT_GARBLED: {
    means: 'What answers at the endpoint does not speak the protocol.',
    mend: 'Check address and port; the exporter tries again by itself.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_ENDPOINT_BUSY: {
    means: 'The endpoint asks to come back later (408, 425, 429 or 5xx).',
    mend: 'Look at the load or the quota of the endpoint; the exporter tries again by itself.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_ENDPOINT_REFUSED: {
    means: 'The endpoint refuses what it is sent, or sends elsewhere; redirects are not followed.',
    mend: 'Check path and credential of the endpoint; nothing is skipped meanwhile.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_BATCH_TOO_LARGE: {
    means: 'The endpoint takes smaller requests only (413).',
    mend: 'Nothing to do: smaller batches are sent; if a single entry is too large, raise its limit.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_CERTIFICATE_REFUSED: {
    means: 'The certificate of the endpoint is not one that is trusted for its name.',
    mend: 'Correct the endpoint, or name its authority in ca_file; checks are never switched off.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_CREDENTIAL_UNREADABLE: {
    means: 'A credential, key or authority file of the exporter is absent, exposed or malformed.',
    mend: 'Give the file mode 0600 and one line; an authority file holds PEM certificates.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_LIBRARY_MISSING: {
    means: 'The OpenTelemetry libraries are not installed.',
    mend:
      'Run npm install @opentelemetry/otlp-transformer @opentelemetry/resources @opentelemetry/sdk-metrics beside maso.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_FILE_UNWRITABLE: {
    means: 'The file of the exporter cannot be written durably, or is no plain file.',
    mend: 'Check its folder, its permissions and the space on its disk.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_PORT_TAKEN: {
    means: 'The port of the Prometheus endpoint is taken by another program.',
    mend: 'Give the exporter another port.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_LOG_BROKEN: {
    means: 'The log holds a line that is no entry, or cannot be read, so nothing more is exported.',
    mend: 'Run maso recorder verify and keep the log as evidence.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_CURSOR_AHEAD: {
    means: 'More was exported than the log holds: the log was set back.',
    mend: 'Run maso recorder verify; remove the cursor file only when it is clear why.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_CURSOR_UNWRITABLE: {
    means: 'The place in the log cannot be made durable; a restart would export entries again.',
    mend: 'Check the disk of the state directory.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_NODE_AWAY: {
    means: 'The node does not say how much of the log is durable, so nothing new is exported.',
    mend: 'Start the node, or wait for it; the exporter asks again by itself.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_LAGGING: {
    means: 'An exporter is more than five seconds behind the log.',
    mend: 'The status names the code of what holds it back.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_NONE: {
    means: 'No exporters run on this state directory, or their last status is old.',
    mend: 'Declare them under exporters in the mesh file and start the mesh with maso up.',
    agentSees: 'UNAVAILABLE',
  },
  EXPORT_CLOSED: {
    means: 'The exporter was closed before the destination confirmed.',
    mend: 'Nothing to do: what was not confirmed is delivered after the next start.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;

export type ExporterCode = keyof typeof exporterCodes;
