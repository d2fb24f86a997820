// What a controller is: it observes, a pure plan decides, the shell writes.
import type { Client } from "#client";
import type { StatusError } from "#core";
import type { Draft, Kind, KubeObject, ObjectKey } from "#schema";

/** A child that the plan wants. */
export interface Child<O extends KubeObject = KubeObject> {
  readonly kind: Kind<O>;
  readonly object: Draft<O>;
  /**
   * How an existing child is brought in line: the object to write, or undefined to leave it as it is.
   * Default: spec (and data), labels and annotations of `object` replace those of `current`; other metadata stays.
   */
  merge?(current: O, wanted: Draft<O>): Draft<O> | undefined;
  /** The event about having created it; the object is as the server made it, with its generated name. */
  onCreated?(created: O): PlanEvent;
  /** No owner reference is set, so neither the shell nor the garbage collector deletes it (Endpoints of a Service). */
  readonly unowned?: true;
}

/** A change to an object that is not a child: the primary's own metadata, or a neighbour (the labeler, a scale). */
export interface Patch {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly subresource?: "scale" | "status";
  readonly type: "application/merge-patch+json" | "application/json-patch+json";
  readonly body: unknown;
}

/** A Kubernetes Event; about the primary unless `regarding` says otherwise. */
export interface PlanEvent {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  readonly regarding?: { readonly apiVersion: string; readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string };
}

/** Everything a plan decided. The shell applies in this order: patches, children, effects, status, events, wake-up. */
export interface Plan<Effect = never> {
  /** All children wanted. Undefined: not known yet, touch nothing. An empty list: no children. */
  readonly desired: readonly Child[] | undefined;
  /** The whole wanted status of the primary, transition times left to the shell; undefined leaves it alone. */
  readonly status?: object;
  readonly patches?: readonly Patch[];
  readonly effects?: readonly Effect[];
  readonly events?: readonly PlanEvent[];
  /**
   * What to report instead of `status` and `events` when the server refused to create or change children (any error
   * but Conflict and AlreadyExists); the rest of the children is left for the retry with backoff. Absent: a Warning
   * event `InternalError` with the server's message.
   */
  readonly afterRefusal?: (refusals: readonly Refusal[]) => { readonly status?: object; readonly events?: readonly PlanEvent[] };
  /** Monotonic milliseconds at which the key is due again, whatever happens before. */
  readonly wakeAtMs?: number;
  /** The reconcile as such failed: Warning event `InternalError` with this text and a retry with backoff, after all else. */
  readonly failure?: string;
}

/** What observers may use. */
export interface World {
  readonly client: Client;
  readonly nowMs: { readonly monotonic: number; readonly wall: number };
}

/** A child that the server did not take. */
export interface Refusal {
  readonly child: Child;
  readonly error: StatusError;
}

/** What the shell offers beyond `World`: the children that exist, also those made a moment ago, read live. */
export interface ShellWorld extends World {
  /** Objects whose controlling owner has this uid, without those that are gone; `kind` is one of `owns`. */
  owned<O extends KubeObject>(kind: Kind<O>, owner: { readonly uid: string }): Promise<readonly O[]>;
  /** Objects of the namespace without a controlling owner; `kind` is one of `owns`. */
  orphans<O extends KubeObject>(kind: Kind<O>, namespace: string): Promise<readonly O[]>;
  /** Objects whose changes wake this key, without those that are gone; `kind` is one of `watches` with `read`. */
  watched<O extends KubeObject>(kind: Kind<O>): Promise<readonly O[]>;
}

/** Another kind whose changes concern keys of the primary. `keys` sees the fields that `keep` kept. */
export interface Watched<O extends KubeObject = KubeObject> {
  readonly kind: Kind<O>;
  keys(object: O): readonly ObjectKey[];
  /**
   * Picks the fields that `keys` reads, to ask it about the state before a change, too. Without it the keys of the
   * state before are those that `keys` gave when that state was new.
   */
  keep?(object: O): O;
  /** Passes read the objects that concern their key (`ShellWorld.watched`), which takes an index. */
  readonly read?: true;
}

export interface Controller<P extends KubeObject = KubeObject, Observed = unknown, Effect = never> {
  /** Also the `reportingComponent` of its events, e.g. `revision-controller`. */
  readonly name: string;
  readonly primary: Kind<P>;
  /** Kinds of children: changes wake the owner; children owned by the primary and not desired are deleted. */
  readonly owns: readonly Kind[];
  readonly watches?: readonly Watched[];
  /** Reads; absence of the primary is undefined. */
  observe(key: ObjectKey, world: ShellWorld): Promise<Observed | undefined>;
  /** Decides; never reads, writes, waits or asks the time. */
  plan(observed: Observed): Plan<Effect>;
  /** The object that `observed` was made from: owner of the children and bearer of the status. */
  primaryOf(observed: Observed): P;
  /** Runs one effect; its result is written back as an object or wakes the key through `requeue`. */
  runEffect?(effect: Effect, world: World, signal: AbortSignal): Promise<void>;
  /** Called once the primary is gone, to forget what was remembered about it. */
  forget?(key: ObjectKey): void;
}
