// ConfigMaps, Secrets and claims of storage that running pods have mounted: one watch a kind from the first such pod on, versions only.
import { createInformer, type Client } from "#client";
import type { Clock, Logger, Rng } from "#core";
import { ConfigMap, PersistentVolumeClaim, Secret } from "#kinds";
import type { Kind } from "#schema";
import type { FollowedKind } from "./volumes/pod-volumes.ts";

export interface FollowedObject {
  readonly kind: FollowedKind;
  readonly namespace: string;
  readonly name: string;
}

export interface FollowedObjectsOptions {
  readonly client: Client;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

type Listener = (object: FollowedObject) => void;

export class FollowedObjects {
  readonly #options: FollowedObjectsOptions;
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #watching = new Map<FollowedKind, Promise<void>>();

  constructor(options: FollowedObjectsOptions) {
    this.#options = options;
  }

  /** Calls back for every change from now on; the watch, once begun, lasts until its signal aborts. Returns the unsubscriber. */
  follow(objects: readonly FollowedObject[], listener: Listener, signal: AbortSignal): () => void {
    const keys = objects.map(keyOf);
    for (const key of keys) this.#listeners.set(key, (this.#listeners.get(key) ?? new Set()).add(listener));
    for (const kind of new Set(objects.map((object) => object.kind))) this.#watch(kind, signal);
    return () => {
      for (const key of keys) {
        const listeners = this.#listeners.get(key);
        listeners?.delete(listener);
        if (listeners?.size === 0) this.#listeners.delete(key);
      }
    };
  }

  /** Resolves once all watches have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#watching.values());
  }

  #watch(kind: FollowedKind, signal: AbortSignal): void {
    if (this.#watching.has(kind)) return;
    const watched = { ConfigMap, PersistentVolumeClaim, Secret }[kind] as unknown as Kind;
    const informer = createInformer({ ...this.#options, kind: watched, keep: ({ metadata }) => metadata.resourceVersion });
    // The first list tells of all, so that nothing is missed between a pod's look and this one.
    informer.onChange(({ key }) => {
      const slash = key.indexOf("/");
      const object = { kind, namespace: key.slice(0, slash), name: key.slice(slash + 1) };
      for (const listener of this.#listeners.get(keyOf(object)) ?? []) listener(object);
    });
    this.#watching.set(kind, informer.run(signal));
  }
}

function keyOf({ kind, namespace, name }: FollowedObject): string {
  return `${kind}/${namespace}/${name}`;
}
