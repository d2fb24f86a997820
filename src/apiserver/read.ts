// Reading: one object, and lists with selectors and pages.
import { badRequest, notFound } from "#core";
import type { Entry, Store } from "#store";
import { versionTooLarge } from "./errors.ts";
import { decode, keyOf } from "./keys.ts";
import type { ListParameters } from "./list-options.ts";
import { nextTurn, PIECE } from "./pause.ts";
import type { Resource } from "./registry.ts";
import type { Selection } from "./selection.ts";

export interface Page {
  /** Stored texts in order of keys. */
  readonly texts: readonly string[];
  readonly revision: number;
  /** "" on the last page. */
  readonly continue: string;
}

/** The stored text of an object. */
export async function get(store: Store, resource: Resource, namespace: string, name: string): Promise<string> {
  const entry = await store.get(keyOf(resource, namespace, name));
  if (entry === undefined) throw notFound(resource.name, name);
  return entry.value;
}

/** Where the next page starts; revision of the first page, so that a watch from there misses nothing. */
interface Cursor {
  readonly revision: number;
  /** The last key of the page before, without the kind's prefix. */
  readonly after: string;
}

function writeCursor(cursor: Cursor): string {
  return Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: cursor.revision, start: `${cursor.after}\u0000` })).toString("base64url");
}

function readCursor(token: string): Cursor {
  try {
    const { v, rv, start } = JSON.parse(Buffer.from(token, "base64url").toString()) as Record<string, unknown>;
    if (v === "meta.k8s.io/v1" && typeof rv === "number" && typeof start === "string")
      return { revision: rv, after: start.endsWith("\0") ? start.slice(0, -1) : start };
  } catch {
    // Whatever is wrong with it, the answer is the same.
  }
  throw badRequest("continue key is not valid: the token was not made by this server");
}

/** How many objects a read for a page with selectors takes at least: few may match. */
const SCAN = 500;

/** Reads on until a page of matching objects is full; a page may be full and the next one empty. */
export async function list(store: Store, resource: Resource, selection: Selection, parameters: ListParameters): Promise<Page> {
  const { limit, resourceVersion = 0 } = parameters;
  if (resourceVersion > store.revision) throw versionTooLarge(resourceVersion, store.revision);
  const cursor = parameters.continue === "" ? undefined : readCursor(parameters.continue);
  const { prefix, matches } = selection;
  let after = cursor === undefined ? undefined : resource.prefix + cursor.after;
  let revision = cursor?.revision;
  const texts: string[] = [];
  for (;;) {
    const wanted = limit - texts.length;
    const size = limit === 0 ? {} : { limit: matches === undefined ? wanted : Math.max(wanted, SCAN) };
    const page = await store.list({ prefix, ...(after === undefined ? {} : { after }), ...size });
    revision ??= page.revision;
    const passed = await collect(page.entries, selection, { texts, limit });
    after = page.entries[passed - 1]?.key ?? after;
    const more = page.more || passed < page.entries.length;
    if (!more || after === undefined) return { texts, revision, continue: "" };
    if (texts.length >= limit) return { texts, revision, continue: writeCursor({ revision, after: after.slice(resource.prefix.length) }) };
  }
}

/** Adds the texts of matching entries until there are `limit` (0: all); returns how many entries it has passed. */
async function collect(
  entries: readonly Entry[],
  { ownsKey, mayMatch, matches }: Selection,
  { texts, limit }: { texts: string[]; limit: number },
): Promise<number> {
  for (const [index, entry] of entries.entries()) {
    if (limit > 0 && texts.length >= limit) return index;
    if (matches !== undefined && index % PIECE === PIECE - 1) await nextTurn();
    if (ownsKey(entry.key) && (matches === undefined || (mayMatch(entry.value) && matches(decode(entry.value))))) texts.push(entry.value);
  }
  return entries.length;
}
