// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { playStory } from './play.ts';

// Short, because the path of a unix socket may not be long.
const state = resolve(process.argv[2] ?? mkdtempSync(join(tmpdir(), 'maso-')));
mkdirSync(state, { recursive: true, mode: 0o711 });
const { stop, result } = await playStory(state);
await stop();
const { shown, advice, caveat } = result;
process.stdout.write(`the agent that reads records saw  ${shown.records}
the agent that weighs them saw    ${shown.synthesis}
the clinician saw                 ${shown.clinic}
advice: ${advice}
caveat: ${caveat}
maso trace and maso recorder verify: --state ${result.state}
`);
