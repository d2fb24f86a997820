// Everything that ever happened in the store: uids, conditions in time order, objects as they are now, events.
import type { StoreEvent } from "#store";
import type { Json, RecordedObject } from "./recording.ts";

const TRACED: readonly string[] = ["Service", "Configuration", "Revision", "Route", "PodAutoscaler", "ServerlessService", "Ingress"];

interface Mark {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

/** `Service` of the core group is told apart from Knative's. */
export function kindName(object: { readonly apiVersion: string; readonly kind: string }): string {
  return object.kind === "Service" && object.apiVersion === "v1" ? "Service.v1" : object.kind;
}

export class Ledger {
  readonly #namespace: string;
  readonly #now = new Map<string, RecordedObject>();
  readonly uids = new Map<string, string>();
  /** Names in the order in which they were made, by kind. */
  readonly made = new Map<string, RecordedObject[]>();
  /** Last value by `Kind name type`. */
  readonly conditions = new Map<string, string>();
  /** Latest revision of each kind, by `apiVersion kind`. */
  readonly latest = new Map<string, number>();
  /** Writes in the namespace, without Events and Leases. */
  changes = 0;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  record(events: readonly StoreEvent[]): void {
    for (const event of events) this.#recordOne(event);
  }

  /** All objects of the namespace as they are. */
  objects(): readonly RecordedObject[] {
    return [...this.#now.values()].filter((object) => object.metadata["namespace"] === this.#namespace);
  }

  /** Reads one condition, as `status`. */
  condition(kind: string, name: string, type: string): string | undefined {
    return this.conditions.get(`${kind} ${name} ${type}`)?.split(" | ")[0];
  }

  #recordOne({ type, key, revision, value }: StoreEvent): void {
    const object = JSON.parse(value) as RecordedObject;
    this.latest.set(`${object.apiVersion} ${object.kind}`, revision);
    if (object.metadata["namespace"] === this.#namespace && object.kind !== "Event") this.changes++;
    const uid = String(object.metadata["uid"]);
    if (!this.uids.has(uid)) {
      this.uids.set(uid, `<uid:${kindName(object)}/${object.metadata.name}>`);
      this.made.set(object.kind, [...(this.made.get(object.kind) ?? []), object]);
    }
    if (type === "delete") this.#now.delete(key);
    else this.#now.set(key, object);
    if (type === "put" && object.metadata["namespace"] === this.#namespace && TRACED.includes(object.kind) && object.apiVersion !== "v1") this.#trace(object);
  }

  #trace(object: RecordedObject): void {
    const marks = ((object["status"] as Json | undefined)?.["conditions"] ?? []) as readonly Mark[];
    for (const { type, status, reason = "", message = "" } of marks) {
      this.conditions.set(`${object.kind} ${object.metadata.name} ${type}`, `${status} | ${reason} | ${message}`);
    }
  }
}
