// The pods that gateway threads know, with the slots that are theirs; a pod behind several backends is known once for each.
import { Slots } from "./slots.ts";

/** Ids begin with the pod's uid; what makes one pod's ids differ comes after a space. */
function uidOf(id: string): string {
  const end = id.indexOf(" ");
  return end < 0 ? id : id.slice(0, end);
}

export class RoutedPods {
  readonly #slots: Slots;
  /** Slots by id: those of pods on their way out included. */
  readonly #routed = new Map<string, number>();
  /** Uid → its ids. */
  readonly #idsOf = new Map<string, Set<string>>();
  /** Id → backend of those that found all slots taken. */
  readonly #slotless = new Map<string, string>();

  constructor(slots: number) {
    this.#slots = new Slots(slots);
  }

  /** The slot of `id`, its own from now on; undefined when all are taken. */
  slotOf(id: string, backend: string): number | undefined {
    const known = this.#routed.get(id);
    if (known !== undefined) return known;
    const slot = this.#slots.take();
    if (slot === undefined) this.#slotless.set(id, backend);
    else this.#add(id, slot);
    return slot;
  }

  /** It has this slot already. False when another one has: of two with one slot, which no table ever had, the first keeps it. */
  restore(id: string, slot: number): boolean {
    if (this.#routed.has(id) || !this.#slots.reserve(slot)) return false;
    this.#add(id, slot);
    return true;
  }

  #add(id: string, slot: number): void {
    this.#slotless.delete(id);
    this.#routed.set(id, slot);
    const uid = uidOf(id);
    const ids = this.#idsOf.get(uid);
    if (ids === undefined) this.#idsOf.set(uid, new Set([id]));
    else ids.add(id);
  }

  /** Nobody uses it any more: answers the pod's uid when that goes for all of its backends. */
  forget(id: string): string | undefined {
    const slot = this.#routed.get(id);
    if (slot === undefined) return undefined;
    this.#routed.delete(id);
    this.#slots.giveBack(slot);
    const uid = uidOf(id);
    const ids = this.#idsOf.get(uid);
    ids?.delete(id);
    if (ids !== undefined && ids.size > 0) return undefined;
    this.#idsOf.delete(uid);
    return uid;
  }

  /** The backend is planned anew: who waits for a slot there will say so again. */
  beginPlan(backend: string): void {
    for (const [id, its] of this.#slotless) if (its === backend) this.#slotless.delete(id);
  }

  isRouted(uid: string): boolean {
    return this.#idsOf.has(uid);
  }

  /** Backends with pods that wait for a slot. */
  get waitingBackends(): Iterable<string> {
    return this.#slotless.values();
  }

  get waiting(): number {
    return this.#slotless.size;
  }
}
