// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { editorSchemas } from '../src/mesh/editor-schemas.ts';
import { policyTestSchema } from '../src/policy/fixtures-file.ts';

/** Writes the editor schemas from the shapes that the loader itself uses. */
const folder = fileURLToPath(new URL('../schema/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [file, text] of editorSchemas()) writeFileSync(`${folder}${file}`, text);
writeFileSync(`${folder}policy-test.json`, policyTestSchema());
