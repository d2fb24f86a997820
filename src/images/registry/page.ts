// A page of a sorted list: at most `n` entries after `last`, and a link to the next. Pure.
import { RegistryError } from "./registry-error.ts";

const PAGE_MAX = 1_000;

export interface Page<T> {
  readonly entries: readonly T[];
  /** Value of the header `Link`; undefined at the end. */
  readonly link: string | undefined;
}

/** `entries` are in the order of their names. Throws RegistryError for an `n` that is no number. */
export function pageOf<T>(
  entries: readonly T[],
  { path, query, nameOf }: { readonly path: string; readonly query: URLSearchParams; readonly nameOf: (entry: T) => string },
): Page<T> {
  const asked = query.get("n");
  if (asked !== null && !/^\d{1,9}$/.test(asked)) throw new RegistryError(400, "UNSUPPORTED", `n=${asked} is no number`);
  const last = query.get("last");
  const rest = last === null ? entries : entries.filter((entry) => nameOf(entry) > last);
  const count = Math.min(asked === null ? PAGE_MAX : Number(asked), PAGE_MAX);
  const page = rest.slice(0, count);
  const end = page.at(-1);
  if (end === undefined || page.length === rest.length) return { entries: page, link: undefined };
  const next = new URLSearchParams(query);
  next.set("n", String(count));
  next.set("last", nameOf(end));
  return { entries: page, link: `<${path}?${next.toString()}>; rel="next"` };
}
