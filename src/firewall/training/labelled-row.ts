// SPDX-License-Identifier: Apache-2.0
import type { Channel } from '../../message/channel.ts';

/** One labelled text in the form of the corpus files: a line of JSON each. */
export type LabelledRow = {
  readonly id: string;
  readonly text: string;
  readonly label: 'attack' | 'benign';
  readonly family: string;
  readonly channel: Channel;
  readonly source: string;
  /** Code points of `text` that the attack fills; absent: all of it. */
  readonly span?: readonly [number, number];
};
