// SPDX-License-Identifier: Apache-2.0
import { stories, tell } from '../../src/simulation/stories.ts';

/** Two nights of the framework's examples; `maso pace drill fraud` and `maso pace drill claims` tell one of them. */
const seed = Number(process.argv[2] ?? Math.floor(Math.random() * 1e9));
console.log(`seed ${seed}`);
const ends = stories.map((name) => {
  const story = tell(name, seed);
  for (const { at, what } of story.steps) console.log(`${at}  ${what}`);
  return story.endsWell;
});
console.log(ends.every(Boolean) ? 'both stories end as they should' : `not as they should: ${ends.join()}`);
process.exitCode = ends.every(Boolean) ? 0 : 1;
