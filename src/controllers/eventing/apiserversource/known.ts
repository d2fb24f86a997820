// What one watch has told of each object, over restarts: by this it finds what came, changed or went while nobody watched.
import type { Marks } from "#core";
import type { KubeObject } from "#schema";

/** A reference to an object that was told, or that a watch has begun. */
export type ToldMark = KubeObject | "begun";

export class Known {
  readonly #marks: Marks<ToldMark>;
  readonly #watch: string;
  readonly #whole: boolean;
  readonly #objects = new Map<string, KubeObject>();
  #begun: boolean;

  /** `watch`: which of a source's it is, the same after a restart. `whole`: this process remembers all of an object for its end. */
  constructor(marks: Marks<ToldMark>, { watch, whole }: { readonly watch: string; readonly whole: boolean }) {
    this.#marks = marks;
    this.#watch = watch;
    this.#whole = whole;
    this.#begun = marks.get(watch) !== undefined;
    for (const [key, mark] of marks.entries()) {
      const [of, uid] = key.split(" ");
      if (of === watch && uid !== undefined && mark !== "begun") this.#objects.set(uid, mark);
    }
  }

  /** What existed before the source is known, so that all that is not known is news. */
  get begun(): boolean {
    return this.#begun;
  }

  get(uid: string): KubeObject | undefined {
    return this.#objects.get(uid);
  }

  objects(): Iterable<readonly [string, KubeObject]> {
    return this.#objects.entries();
  }

  /** Resolves once that is on the disk. */
  async begin(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    await this.#marks.set(this.#watch, "begun");
  }

  /** As above. */
  told(object: KubeObject): Promise<void> {
    const { uid } = object.metadata;
    const mark = reference(object);
    this.#objects.set(uid, this.#whole ? object : mark);
    return this.#marks.set(`${this.#watch} ${uid}`, mark);
  }

  /** As above. */
  gone(uid: string): Promise<void> {
    this.#objects.delete(uid);
    return this.#marks.delete(`${this.#watch} ${uid}`);
  }
}

/** Enough to tell its end. */
function reference({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, ownerReferences } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(namespace === undefined ? {} : { namespace }),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
  } as KubeObject;
}

/** Marks of watches that there are no more. */
export async function forgetOthers(marks: Marks<ToldMark>, watches: ReadonlySet<string>): Promise<void> {
  const gone = [...marks.entries()].map(([key]) => key).filter((key) => !watches.has(key.split(" ")[0] ?? ""));
  await Promise.all(gone.map((key) => marks.delete(key)));
}
