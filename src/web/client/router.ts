/**
 * Where one is: path and query of the page. The URL says what is shown (web 0), so
 * views read it from here and change it by links or {@linkcode go}.
 */
import { signal } from "@preact/signals";

export interface Place {
  readonly path: string;
  readonly search: URLSearchParams;
}

function here(): Place {
  return {
    path: decodeURI(location.pathname),
    search: new URLSearchParams(location.search),
  };
}

export const place = signal<Place>(here());

/** Paths that these pages show; other links leave them. */
export function isOurs(path: string): boolean {
  return path === "/" || path === "/config" ||
    /^\/monitoring(\/|$)/.test(path);
}

/** Goes to a path of ours with its query; `replace` leaves no step to go back to. */
export function go(href: string, { replace = false } = {}): void {
  const target = new URL(href, location.href);
  const isOther = target.pathname !== location.pathname;
  if (target.href === location.href) return;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
  place.value = here();
  if (isOther) {
    scrollTo(0, 0);
    // Keyboards and readers begin at the new page, not at the link that is gone.
    document.getElementById("content")?.focus({ preventScroll: true });
  }
}

type Patch = Readonly<
  Record<string, string | number | readonly string[] | undefined>
>;

/** The present place with some parameters replaced; `undefined` and `""` remove. */
export function withQuery(patch: Patch): string {
  const { path, search } = place.value;
  const next = new URLSearchParams(search);
  for (const [key, value] of Object.entries(patch)) {
    next.delete(key);
    const values = Array.isArray(value) ? value : [value ?? ""];
    for (const one of values) if (one !== "") next.append(key, String(one));
  }
  return pathWith(path, next);
}

export function pathWith(path: string, search: URLSearchParams): string {
  const query = search.toString();
  return encodeURI(path) + (query === "" ? "" : `?${query}`);
}

/** Links within the pages change the place; all others are the browser's. */
function follow(event: MouseEvent): void {
  if (event.defaultPrevented || event.button !== 0) return;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const anchor = (event.target as Element).closest?.("a");
  if (anchor === null || anchor === undefined) return;
  if (anchor.target !== "" || anchor.hasAttribute("download")) return;
  const url = new URL(anchor.href, location.href);
  if (url.origin !== location.origin || !isOurs(url.pathname)) return;
  if (url.hash !== "" && url.pathname === location.pathname) return;
  event.preventDefault();
  go(url.href);
}

export function startRouter(): void {
  addEventListener("popstate", () => place.value = here());
  document.addEventListener("click", follow);
}
