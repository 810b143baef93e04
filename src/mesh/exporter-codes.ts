// SPDX-License-Identifier: Apache-2.0
import type { CodeTable } from '../review/code.ts';

/** What `maso check` says about `exporters`; part of the codes of the mesh file. */
export const exporterCodes = {
  MESH_EXPORTER_KIND: {
    means: 'An exporter needs exactly one kind: otlp, prometheus or one of siem_*.',
    mend: 'State one of them; declare a second exporter for a second place.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EXPORTER_URL_INSECURE: {
    means: 'An exporter would send without TLS, or its endpoint is no http(s) URL.',
    mend: 'Use https, or http on a loopback address; credentials belong in credential_file.',
    agentSees: 'UNAVAILABLE',
  },
  MESH_EXPORTER_KEY_PAIR: {
    means: 'A client certificate and its key belong together.',
    mend: 'Name both certificate_file and key_file, or neither.',
    agentSees: 'UNAVAILABLE',
  },
} as const satisfies CodeTable;
