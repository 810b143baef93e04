// SPDX-License-Identifier: Apache-2.0
import { replacePlace } from './router.tsx';

/** Words that narrow a view. They stand in its address, so that what was found can be sent to somebody. */
export function SearchBox({ path, query, label = 'Search', placeholder }: {
  readonly path: string; readonly query: URLSearchParams; readonly label?: string; readonly placeholder?: string;
}) {
  return (
    <label>{label}<input type="search" defaultValue={query.get('search') ?? ''} placeholder={placeholder}
      onChange={(event) => replacePlace(placeWith(path, query, 'search', event.target.value))} /></label>
  );
}

/** The address of a view with one part of its query changed; empty takes it away. */
export function placeWith(path: string, query: URLSearchParams, name: string, value: string): string {
  const next = new URLSearchParams(query);
  if (value === '') next.delete(name);
  else next.set(name, value);
  const text = next.toString();
  return text === '' ? path : `${path}?${text}`;
}

/** Whether a text has every word that is looked for; with no word every text has. */
export function hasWords(query: URLSearchParams, text: string): boolean {
  const [own, words] = [text.toLowerCase(), (query.get('search') ?? '').toLowerCase().split(/\s+/)];
  return words.every((word) => own.includes(word));
}
