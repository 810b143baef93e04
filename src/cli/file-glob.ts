// SPDX-License-Identifier: Apache-2.0

/**
 * True when the glob names the file: `*` and `?` stand for any and for one character within a name,
 * `**` as a whole name for any number of folders, everything else for itself. Both with `/` between
 * names. Time is at most the product of the two lengths, whatever the glob.
 */
export function matchesGlob(glob: string, file: string): boolean {
  const parts = glob.split('/');
  // Whether the names so far may be the first parts of the glob; `**` may also be no name at all.
  let reached = withoutFolders(parts, parts.map((_, index) => index === 0).concat(false));
  for (const name of file.split('/')) {
    const next = Array.from(reached, () => false);
    for (const [index, part] of parts.entries()) {
      if (reached[index] !== true) continue;
      if (part === '**') next[index] = true;
      else if (matchesName(part, name)) next[index + 1] = true;
    }
    reached = withoutFolders(parts, next);
  }
  return reached[parts.length] === true;
}

function withoutFolders(parts: readonly string[], reached: readonly boolean[]): boolean[] {
  const wider = [...reached];
  for (const [index, part] of parts.entries()) {
    if (part === '**' && wider[index] === true) wider[index + 1] = true;
  }
  return wider;
}

/** One star at a time: what a star took in is given back sign by sign, and only to the last star. */
function matchesName(part: string, name: string): boolean {
  let at = 0;
  let read = 0;
  let star = -1;
  let taken = 0;
  while (read < name.length) {
    const sign = part.charAt(at);
    if (sign === '*') {
      star = at;
      taken = read;
      at += 1;
    } else if (at < part.length && (sign === '?' || sign === name.charAt(read))) {
      at += 1;
      read += 1;
    } else if (star >= 0) {
      taken += 1;
      read = taken;
      at = star + 1;
    } else {
      return false;
    }
  }
  while (part.charAt(at) === '*') at += 1;
  return at === part.length;
}
