// Reading: one object, and lists with selectors and pages, each of one revision.
import { isReason, notFound, type Clock } from "#core";
import type { Snapshot, Store } from "#store";
import { NEWEST, writeContinue } from "./continue-token.ts";
import { expiredContinue, expiredList } from "./errors.ts";
import { whenReached } from "./freshness.ts";
import { keyOf } from "./keys.ts";
import type { ListParameters } from "./list-options.ts";
import type { Turns } from "./pause.ts";
import type { Resource } from "./registry.ts";
import { isMeant, type Selection } from "./selection.ts";

export interface ReadTools {
  readonly store: Store;
  readonly clock: Clock;
  readonly turns: Turns;
}

export interface Page {
  /** Stored texts in order of keys. Read once, at once: what they come from is kept open until the end. */
  readonly pieces: AsyncIterable<readonly string[]>;
  /** The revision that all pages of the list show. */
  readonly revision: number;
  /** "" on the last page. */
  readonly continue: string;
  /** How many objects follow the page; unknown when there is none, or when a selector decides. */
  readonly remaining: number | undefined;
}

/** The `metadata` of the list that shows a page. */
/** `always`: that there is no more is told, too, as of custom kinds. */
export function listMeta({ revision, continue: token, remaining }: Page, always = false): object {
  return {
    resourceVersion: String(revision),
    ...(token === "" && !always ? {} : { continue: token }),
    ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
  };
}

/** The stored text of an object. `resourceVersion` asks for a state that is not older. */
export async function get({ store, clock }: ReadTools, target: { resource: Resource; namespace: string; name: string }, resourceVersion = 0): Promise<string> {
  const { resource, namespace, name } = target;
  await whenReached({ store, clock }, resourceVersion);
  const entry = await store.get(keyOf(resource, namespace, name));
  if (entry === undefined) throw notFound(resource.name, name);
  return entry.value;
}

/** How many objects are read at a time. */
const SCAN = 500;

/** The state that the parameters ask for. Throws Expired, for a page with a token to go on with what is there now. */
async function snapshotFor({ store, clock }: ReadTools, prefix: string, parameters: ListParameters): Promise<Snapshot> {
  const { from } = parameters;
  const at = from === undefined ? parameters.exactly : from.revision > 0 ? from.revision : undefined;
  await whenReached({ store, clock }, at ?? parameters.resourceVersion ?? 0);
  try {
    return store.snapshot({ prefix, ...(from === undefined ? {} : { after: prefix + from.after }), ...(at === undefined ? {} : { at }) });
  } catch (error) {
    if (!isReason(error, "Expired")) throw error;
    throw from === undefined ? expiredList() : expiredContinue(writeContinue({ ...from, revision: NEWEST }));
  }
}

/** Texts that are there already, as pieces of a page. */
export async function* inOnePiece(texts: readonly string[]): AsyncGenerator<readonly string[], void, void> {
  yield texts;
}

/**
 * With a limit, reads on until a page of matching objects is full; it may be full and the next one empty.
 * Without one the objects are read as they are taken, so that a long list is never held as a whole.
 */
export async function list(tools: ReadTools, { selection, parameters }: { readonly selection: Selection; readonly parameters: ListParameters }): Promise<Page> {
  const { limit } = parameters;
  const snapshot = await snapshotFor(tools, selection.prefix, parameters);
  const { revision } = snapshot;
  if (limit === 0) return { pieces: piecesOf(snapshot, selection, tools.turns), revision, continue: "", remaining: undefined };
  try {
    const { texts, after } = await fill(snapshot, selection, { limit, turns: tools.turns });
    if (after === undefined) return { pieces: inOnePiece(texts), revision, continue: "", remaining: undefined };
    const token = writeContinue({ revision, after: `/${after.slice(selection.prefix.length)}` });
    return { pieces: inOnePiece(texts), revision, continue: token, remaining: selection.isWhole ? await snapshot.remaining() : undefined };
  } finally {
    snapshot.close();
  }
}

async function* piecesOf(snapshot: Snapshot, selection: Selection, turns: Turns): AsyncGenerator<readonly string[], void, void> {
  try {
    for (let more = true; more;) {
      const page = await snapshot.next(SCAN);
      const texts: string[] = [];
      for (const { key, value } of page.entries) {
        if (turns.isOver) await turns.next();
        if (isMeant(selection, key, value)) texts.push(value);
      }
      if (texts.length > 0) yield texts;
      more = page.more;
    }
  } finally {
    snapshot.close();
  }
}

interface Filled {
  readonly texts: readonly string[];
  /** The last key that was looked at, when others follow it. */
  readonly after: string | undefined;
}

/** Takes the texts of matching entries until there are `limit`. */
async function fill(snapshot: Snapshot, selection: Selection, { limit, turns }: { limit: number; turns: Turns }): Promise<Filled> {
  const texts: string[] = [];
  for (;;) {
    // Without a selector nothing is read that is not shown, so the snapshot can tell what remains.
    const { entries, more } = await snapshot.next(selection.isWhole ? Math.min(limit - texts.length, SCAN) : SCAN);
    for (const [index, { key, value }] of entries.entries()) {
      if (turns.isOver) await turns.next();
      if (isMeant(selection, key, value)) texts.push(value);
      if (texts.length >= limit) return { texts, after: more || index < entries.length - 1 ? key : undefined };
    }
    if (!more) return { texts, after: undefined };
  }
}
