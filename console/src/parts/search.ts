/** What is in the address after "?": plain words, never JSON, so that links stay readable. */

/** A route's search parameters: the named ones, as text; anything else is dropped. */
export function texts<K extends string>(...names: K[]) {
  return (input: Record<string, unknown>): { [N in K]?: string } => {
    const found: { [N in K]?: string } = {};
    for (const name of names) {
      const value = input[name];
      if (typeof value === "string" && value !== "") found[name] = value;
    }
    return found;
  };
}

export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const pairs = Object.entries(search).filter(
    (pair): pair is [string, string] => typeof pair[1] === "string" && pair[1] !== "",
  );
  const text = new URLSearchParams(pairs).toString();
  return text ? `?${text}` : "";
}

/** Where to go after signing in: a page of this console, never another site. */
export function safeReturn(target: string | undefined): string {
  if (!target?.startsWith("/") || /^\/[/\\]/.test(target)) return "/";
  try {
    const url = new URL(target, window.location.origin);
    if (url.origin !== window.location.origin) return "/";
    if (["/sign-in", "/setup", "/invitation"].includes(url.pathname)) return "/";
    return url.pathname + url.search;
  } catch {
    return "/";
  }
}
