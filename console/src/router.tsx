// SPDX-License-Identifier: Apache-2.0
import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from 'react';

const moved = 'maso-moved';

function subscribe(changed: () => void): () => void {
  window.addEventListener('popstate', changed);
  window.addEventListener(moved, changed);
  return () => {
    window.removeEventListener('popstate', changed);
    window.removeEventListener(moved, changed);
  };
}

/** The path and the query of the page, as they change. */
export function usePlace(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname + window.location.search);
}

export function go(place: string): void {
  window.history.pushState(null, '', place);
  window.dispatchEvent(new Event(moved));
  window.scrollTo(0, 0);
}

/** Changes the query without another step in the history. */
export function replacePlace(place: string): void {
  window.history.replaceState(null, '', place);
  window.dispatchEvent(new Event(moved));
}

/** A link within the console; with a modifier key it does what links do. */
export function To({
  place, children, ...rest
}: { readonly place: string; readonly children: ReactNode } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  const follow = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    go(place);
  };
  return <a href={place} onClick={follow} {...rest}>{children}</a>;
}
