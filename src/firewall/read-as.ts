// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../message/channel.ts';

/** The beginning of a tag: a name, and what may stand behind one. */
const tag = /<\/?[A-Za-z][A-Za-z0-9-]{0,24}[\s/>]/;

/**
 * The channel as which texts are read. What the model knows of `web` are pages with their markup;
 * a page that a tool has made text of, or JSON about it, looks rare among those and is a document. An
 * attacker who writes the page chooses between two channels, each with a band of its own. Linear.
 */
export function channelReadAs(channel: Channel, texts: readonly string[]): Channel {
  return channel === 'web' && !texts.some((text) => tag.test(text)) ? 'document' : channel;
}
