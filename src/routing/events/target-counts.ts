// The URLs that subscribers' events go to, each once however many there are.
import type { EventSubscriber } from "#protocol";

export class TargetCounts {
  readonly #counts = new Map<string, number>();

  /** A subscriber takes another's place. */
  readonly changed = (before: EventSubscriber | undefined, after: EventSubscriber | undefined): void => {
    // In this order no URL that stays is ever gone.
    for (const url of urlsOf(after)) this.#counts.set(url, (this.#counts.get(url) ?? 0) + 1);
    for (const url of urlsOf(before)) {
      const left = (this.#counts.get(url) ?? 0) - 1;
      if (left > 0) this.#counts.set(url, left);
      else this.#counts.delete(url);
    }
  };

  urls(): Iterable<string> {
    return this.#counts.keys();
  }
}

function urlsOf(subscriber: EventSubscriber | undefined): string[] {
  if (subscriber === undefined) return [];
  const { target, reply, deadLetter } = subscriber;
  return [target, reply?.to === "url" ? reply : undefined, deadLetter].flatMap((to) => (to === undefined ? [] : [to.url]));
}
