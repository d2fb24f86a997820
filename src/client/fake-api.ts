// An API server in memory for tests and simulations: what controllers rely on, with late watches and faults on demand.
import { alreadyExists, conflict, expired, notFound, rfc3339, StatusError, type Clock } from "#core";
import { apiVersionOf, type Draft, type Kind, type KubeObject } from "#schema";
import type { ApiCall, Transport, WatchCall, WatchEvent } from "./port.ts";

export interface FakeWrite {
  readonly verb: ApiCall["verb"];
  readonly plural: string;
  readonly name: string;
  readonly subresource?: string;
}

/** What a fault is planted on: a call, or the opening of a watch. */
export type FakeCall = Pick<ApiCall, "kind" | "namespace" | "name" | "subresource"> & { readonly verb: ApiCall["verb"] | "watch" };

/** Events that a new watch can still be told. */
const HISTORY_MAX = 10_000;

interface Stream {
  readonly plural: string;
  readonly matches: (object: KubeObject) => boolean;
  readonly waiting: WatchEvent<KubeObject>[];
  wake: () => void;
  expired: boolean;
}

type Loose = Record<string, unknown>;

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const out: Loose = typeof target === "object" && target !== null && !Array.isArray(target) ? { ...(target as Loose) } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete out[name];
    else out[name] = mergePatch(out[name], value);
  }
  return out;
}

function selects(selector: string | undefined, labels: Readonly<Record<string, string>> = {}): boolean {
  if (selector === undefined || selector === "") return true;
  return selector.split(",").every((pair) => {
    const [key = "", value = ""] = pair.split("=");
    return labels[key] === value;
  });
}

const resourceOf = (kind: Kind) => ({ group: kind.group, resource: kind.plural });

/** Objects that go in and come out are frozen, so that nobody can change what others share. */
function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) frozen(member);
  }
  return value;
}

/**
 * Status and spec are written apart, generations count, finalizers hold, writes that change nothing keep the version.
 * No schema, no admission; merge patches only. Watches deliver at once, or with `late` when `deliver` says so.
 */
export class FakeApi implements Transport {
  readonly writes: FakeWrite[] = [];
  /** True: events wait for `deliver`. */
  late = false;
  /** How it answers streaming lists: as it should, as a server that has them switched off, or as one that has never heard of them. */
  initialEvents: "streamed" | "refused" | "unknown" = "streamed";
  readonly #clock: Clock;
  readonly #objects = new Map<string, KubeObject>();
  readonly #kinds = new Map<string, Kind>();
  readonly #streams = new Set<Stream>();
  readonly #history: { readonly plural: string; readonly event: WatchEvent<KubeObject> }[] = [];
  #version = 100;
  #names = 0;
  #faults: { readonly matches: (call: FakeCall) => boolean; readonly error: StatusError }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The next call that matches fails. */
  failNext(matches: (call: FakeCall) => boolean, error: StatusError): void {
    this.#faults.push({ matches, error });
  }

  #failIfPlanted(call: FakeCall): void {
    const fault = this.#faults.find(({ matches }) => matches(call));
    if (fault === undefined) return;
    this.#faults = this.#faults.filter((other) => other !== fault);
    throw fault.error;
  }

  /** Hands waiting events on, of one kind or of all. */
  deliver(plural?: string): void {
    for (const stream of this.#streams) if (plural === undefined || stream.plural === plural) stream.wake();
  }

  /** Ends all watches as a server does whose window has moved on. */
  expireWatches(): void {
    for (const stream of this.#streams) {
      stream.expired = true;
      stream.wake();
    }
  }

  async send(call: ApiCall): Promise<unknown> {
    this.#failIfPlanted(call);
    this.#kinds.set(call.kind.plural, call.kind);
    if (call.verb === "get") return this.#must(call);
    if (call.verb === "list") return this.#list(call);
    const { verb, kind, subresource } = call;
    const result = verb === "create" ? this.#create(call) : verb === "update" ? this.#update(call) : verb === "patch" ? this.#patch(call) : this.#delete(call);
    this.writes.push({ verb, plural: kind.plural, name: result.metadata.name, ...(subresource === undefined ? {} : { subresource }) });
    return result;
  }

  async *watch({ kind, namespace, query }: WatchCall, signal: AbortSignal): AsyncIterable<WatchEvent<KubeObject>> {
    this.#failIfPlanted({ verb: "watch", kind, namespace });
    const matches = (object: KubeObject): boolean =>
      (namespace === "" || object.metadata.namespace === namespace) && selects(query["labelSelector"], object.metadata.labels);
    const stream: Stream = { plural: kind.plural, matches, waiting: [], wake: () => {}, expired: false };
    const initial = query["sendInitialEvents"] === "true" ? this.#initial(kind, matches) : [];
    for (const past of this.#history) {
      const missed =
        past.plural === kind.plural && matches(past.event.object) && Number(past.event.object.metadata.resourceVersion) > Number(query["resourceVersion"]);
      if (missed) stream.waiting.push(past.event);
    }
    this.#streams.add(stream);
    const abort = (): void => stream.wake();
    signal.addEventListener("abort", abort);
    try {
      yield* initial;
      while (!signal.aborted) {
        if (stream.expired) throw expired("too old resource version");
        for (const event of stream.waiting.splice(0)) {
          if (signal.aborted) return;
          yield event;
        }
        if (signal.aborted || stream.expired || (stream.waiting.length > 0 && !this.late)) continue;
        await new Promise<void>((resolve) => (stream.wake = resolve));
      }
    } finally {
      signal.removeEventListener("abort", abort);
      this.#streams.delete(stream);
    }
  }

  /** A list as the events that a watch begins with. */
  #initial(kind: Kind, matches: (object: KubeObject) => boolean): WatchEvent<KubeObject>[] {
    if (this.initialEvents === "refused") throw new StatusError("Invalid", "ListOptions is invalid: sendInitialEvents: Forbidden: it is switched off");
    const events = this.#of(kind)
      .filter(matches)
      .map((object): WatchEvent<KubeObject> => ({ type: "ADDED", object }));
    const metadata = { resourceVersion: String(this.#version), annotations: { "k8s.io/initial-events-end": "true" } };
    const end: WatchEvent<KubeObject> = { type: "BOOKMARK", object: { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata } as unknown as KubeObject };
    return this.initialEvents === "streamed" ? [...events, end] : events;
  }

  #key({ kind, namespace, name }: Pick<ApiCall, "kind" | "namespace" | "name">): string {
    return `${kind.group}/${kind.plural}/${kind.scope === "Namespaced" ? namespace : ""}/${name ?? ""}`;
  }

  #of(kind: Kind): KubeObject[] {
    const prefix = `${kind.group}/${kind.plural}/`;
    return [...this.#objects].filter(([key]) => key.startsWith(prefix)).map(([, object]) => object);
  }

  #must(call: ApiCall): KubeObject {
    const object = this.#objects.get(this.#key(call));
    if (object === undefined) throw notFound(resourceOf(call.kind), call.name ?? "");
    return object;
  }

  #list({ kind, namespace, query }: ApiCall): unknown {
    const items = this.#of(kind).filter(
      (object) => (namespace === "" || object.metadata.namespace === namespace) && selects(query?.labelSelector, object.metadata.labels),
    );
    const from = Number(query?.continue ?? "0");
    const limit = Number(query?.limit ?? items.length);
    const more = from + limit < items.length;
    return {
      metadata: { resourceVersion: String(this.#version), ...(more ? { continue: String(from + limit) } : {}) },
      items: items.slice(from, from + limit),
    };
  }

  #emit(type: WatchEvent<KubeObject>["type"], kind: Kind, object: KubeObject): void {
    this.#history.push({ plural: kind.plural, event: { type, object } });
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
    for (const stream of this.#streams) {
      if (stream.plural !== kind.plural || !stream.matches(object)) continue;
      stream.waiting.push({ type, object });
      if (!this.late) stream.wake();
    }
  }

  #store(kind: Kind, object: KubeObject, type: "ADDED" | "MODIFIED" | "DELETED"): KubeObject {
    const stored = frozen({ ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } });
    const key = this.#key({ kind, namespace: stored.metadata.namespace ?? "", name: stored.metadata.name });
    if (type === "DELETED") this.#objects.delete(key);
    else this.#objects.set(key, stored);
    this.#emit(type, kind, stored);
    return stored;
  }

  #create({ kind, namespace, body }: ApiCall): KubeObject {
    const sent = structuredClone(body) as Draft<KubeObject> & { status?: unknown };
    const name = sent.metadata.name ?? `${sent.metadata.generateName ?? ""}${(++this.#names).toString(36).padStart(5, "x")}`;
    if (this.#objects.has(this.#key({ kind, namespace, name }))) throw alreadyExists(resourceOf(kind), name);
    if (kind.subresources.status === true) delete sent.status;
    const metadata = {
      ...sent.metadata,
      name,
      ...(kind.scope === "Namespaced" ? { namespace } : {}),
      uid: `uid-${++this.#names}`,
      resourceVersion: "",
      creationTimestamp: rfc3339(this.#clock.wallMs()),
      generation: 1,
    };
    return this.#store(kind, { ...sent, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata }, "ADDED");
  }

  #update(call: ApiCall): KubeObject {
    return this.#replace(call, structuredClone(call.body) as Draft<KubeObject>);
  }

  #patch(call: ApiCall): KubeObject {
    if (call.contentType !== "application/merge-patch+json")
      throw new StatusError("UnsupportedMediaType", `the fake knows merge patches only, not ${call.contentType ?? ""}`);
    return this.#replace(call, mergePatch(this.#must(call), structuredClone(call.body)) as Draft<KubeObject>);
  }

  #replace(call: ApiCall, sent: Draft<KubeObject>): KubeObject {
    const { kind, subresource } = call;
    const current = this.#must(call) as KubeObject & { status?: unknown };
    const wanted = sent.metadata.resourceVersion;
    if (wanted !== undefined && wanted !== current.metadata.resourceVersion) throw conflict(resourceOf(kind), current.metadata.name);
    if (sent.metadata.uid !== undefined && sent.metadata.uid !== current.metadata.uid)
      throw conflict(resourceOf(kind), current.metadata.name, "the UID differs");
    const { status: sentStatus, ...sentRest } = sent as Draft<KubeObject> & { status?: unknown };
    const { status, ...rest } = current;
    const apart = kind.subresources.status === true;
    const meta = {
      ...sent.metadata,
      name: rest.metadata.name,
      uid: rest.metadata.uid,
      resourceVersion: rest.metadata.resourceVersion,
      creationTimestamp: rest.metadata.creationTimestamp,
    };
    const next =
      subresource === "status"
        ? { ...rest, ...(kind.custom ? {} : { metadata: meta }), ...(sentStatus === undefined ? {} : { status: sentStatus }) }
        : { ...sentRest, metadata: meta, ...(apart ? (status === undefined ? {} : { status }) : sentStatus === undefined ? {} : { status: sentStatus }) };
    return this.#commit(kind, current, next);
  }

  #commit(kind: Kind, current: KubeObject, next: KubeObject): KubeObject {
    if (JSON.stringify(next) === JSON.stringify(current)) return current;
    const { metadata: _a, status: _b, ...before } = current as KubeObject & { status?: unknown };
    const { metadata: _c, status: _d, ...after } = next as KubeObject & { status?: unknown };
    const changed = JSON.stringify(before) !== JSON.stringify(after);
    const generation = (current.metadata.generation ?? 1) + (changed ? 1 : 0);
    const object = { ...next, metadata: { ...next.metadata, generation } };
    const isGone = object.metadata.deletionTimestamp !== undefined && (object.metadata.finalizers ?? []).length === 0;
    return this.#store(kind, object, isGone ? "DELETED" : "MODIFIED");
  }

  #delete(call: ApiCall): KubeObject {
    const current = this.#must(call);
    const { preconditions, propagationPolicy } = (call.body ?? {}) as { preconditions?: { uid?: string }; propagationPolicy?: string };
    if (preconditions?.uid !== undefined && preconditions.uid !== current.metadata.uid)
      throw conflict(resourceOf(call.kind), current.metadata.name, "the UID in the precondition differs");
    const added = propagationPolicy === "Foreground" ? ["foregroundDeletion"] : propagationPolicy === "Orphan" ? ["orphan"] : [];
    const finalizers = [...new Set([...(current.metadata.finalizers ?? []), ...added])];
    if (finalizers.length === 0) return this.#store(call.kind, current, "DELETED");
    const deletionTimestamp = current.metadata.deletionTimestamp ?? rfc3339(this.#clock.wallMs());
    return this.#store(call.kind, { ...current, metadata: { ...current.metadata, finalizers, deletionTimestamp } }, "MODIFIED");
  }
}
