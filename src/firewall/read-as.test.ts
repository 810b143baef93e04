// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from 'vitest';
import { channels } from '../message/channel.ts';
import { channelReadAs } from './read-as.ts';

describe('the channel as which texts are read', () => {
  it.each(['<p>Hello</p>', 'a <br/> b', '<!-- x --><div class="a">', '</td>', '<H1 id=x>', '<my-tag\n>'])(
    'is web where one text holds markup: %s', (text) => {
      expect(channelReadAs('web', ['{"title":"News"}', text])).toBe('web');
    },
  );

  it.each(['{"title":"News","url":"https://example.org"}', 'if (a < b && c > d)', 'a <- b', '1 <2> 3', ''])(
    'is document for a page without: %s', (text) => {
      expect(channelReadAs('web', [text])).toBe('document');
    },
  );

  it('is every other channel itself', () => {
    for (const channel of channels.filter((name) => name !== 'web')) {
      expect(channelReadAs(channel, ['plain', '<p>'])).toBe(channel);
    }
  });
});
