// SPDX-License-Identifier: Apache-2.0

const everyMs = 2_000;

/** Passes a stream on and tells every two seconds how many items went by. */
export async function* withProgress<Item>(
  items: AsyncIterable<Item>,
  tell: (count: number) => void,
): AsyncGenerator<Item> {
  let count = 0;
  let toldAt = performance.now();
  for await (const item of items) {
    yield item;
    count += 1;
    if ((count & 0xfff) === 0 && performance.now() - toldAt >= everyMs) {
      toldAt = performance.now();
      tell(count);
    }
  }
}
