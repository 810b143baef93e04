// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { buildProgram, families } from './program.ts';

const io = { out: () => undefined, err: () => undefined, directory: '.' };
const build = (named?: string) => buildProgram(io, () => undefined, named);

describe('the command line', () => {
  it('defines of a command that is named what it defines of all, and nothing else', async () => {
    const all = await build();
    expect(families.flatMap(({ names }) => names)).toEqual(all.commands.map((command) => command.name()));
    for (const { names } of families) {
      for (const name of names) {
        const { commands } = await build(name);
        expect(commands.map((command) => command.name()), name).toEqual(names);
        const whole = all.commands.find((command) => command.name() === name);
        const alone = commands.find((command) => command.name() === name);
        expect(alone?.helpInformation()).toBe(whole?.helpInformation());
      }
    }
  });

  it('defines all where no command is named', async () => {
    const count = (await build()).commands.length;
    for (const named of ['--help', 'help', 'nothing', '__proto__', '']) {
      expect((await build(named)).commands.length).toBe(count);
    }
  });
});

it.each([
  ['up', 'mesh.yaml', '--port', 'abc'],
  ['up', 'mesh.yaml', '--port', '65536'],
  ['up', 'mesh.yaml', '--console-port', '-1'],
  ['sidecar', 'mesh.yaml', '--agent', 'a', '--tcp', '80a'],
  ['witness', 'folder', '--port', '1e3'],
])('takes no port that is none: maso %s %s %s %s', async (...line) => {
  const said: string[] = [];
  const program = await buildProgram({ ...io, err: (text) => void said.push(text) }, () => undefined, line[0]);
  await expect(program.parseAsync(['node', 'maso', ...line])).rejects.toMatchObject({ code: 'commander.invalidArgument' });
  expect(said.join('\n')).toContain('A port is a number from 0 to 65535.');
});

it.each([
  ['recorder', 'verify', '--witness', 'w.vkey', '--quorum', 'two'],
  ['recorder', 'verify', '--witness', 'w.vkey', '--quorum', '-1'],
  ['custodian', 'release', 'request.json', '--key', 'k', '--log-key', 'l', '--quorum', 'NaN'],
])('takes no quorum that is none: maso %s %s %s %s %s %s', async (...line) => {
  const program = await buildProgram(io, () => undefined, line[0]);
  await expect(program.parseAsync(['node', 'maso', ...line])).rejects.toMatchObject({ code: 'commander.invalidArgument' });
});

it('wraps the list of all commands to the width of a usual terminal', async () => {
  const wide = (await build()).helpInformation().split('\n').filter((line) => line.length > 80);
  expect(wide).toEqual([]);
});
