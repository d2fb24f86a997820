// Waiting until the store has reached a revision that a client has heard of elsewhere.
import type { Clock } from "#core";
import type { Store } from "#store";
import { versionTooLarge } from "./errors.ts";

/** So long a read waits for a revision of the future; Kubernetes has the same limit. */
const WAIT_MS = 3_000;

/** Resolves once the store has assigned `revision`; throws Timeout when it does not in time. */
export async function whenReached({ store, clock }: { readonly store: Store; readonly clock: Clock }, revision: number): Promise<void> {
  if (revision <= store.revision) return;
  const done = new AbortController();
  const stop = store.watch({ prefix: "", after: store.revision, visibility: "immediate", onEvents: () => revision <= store.revision && done.abort() });
  await clock.sleep(WAIT_MS, done.signal).catch(() => undefined);
  stop();
  if (revision > store.revision) throw versionTooLarge(revision, store.revision);
}
