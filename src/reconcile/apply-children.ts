// Brings children in line with a plan: creates, updates what differs, deletes what is owned and not desired.
import { conflict, isReason, StatusError } from "#core";
import { equal, type Draft, type Kind, type KubeObject, type ObjectMeta } from "#schema";
import { controllerOf, ownerReferenceFor } from "./owners.ts";
import { kindId, type PassWorld, type RecentChildren } from "./pass-world.ts";
import type { Child, PlanEvent, Refusal } from "./port.ts";
import { fingerprint } from "./fingerprint.ts";

const SETTLED_MAX = 10_000;

/**
 * Remembers what a server made of what was wanted (defaults that it filled in), so that the same wish is not sent
 * again. Losing it costs one needless write a child.
 */
export class Settled {
  readonly #byUid = new Map<string, { readonly wanted: string; readonly got: string }>();

  holds(current: KubeObject, merged: Draft<KubeObject>): boolean {
    const known = this.#byUid.get(current.metadata.uid);
    return known !== undefined && known.wanted === fingerprint(substance(merged)) && known.got === fingerprint(substance(current));
  }

  record(result: KubeObject, merged: Draft<KubeObject>): void {
    this.#byUid.delete(result.metadata.uid);
    this.#byUid.set(result.metadata.uid, { wanted: fingerprint(substance(merged)), got: fingerprint(substance(result)) });
    const [oldest] = this.#byUid.keys();
    if (this.#byUid.size > SETTLED_MAX && oldest !== undefined) this.#byUid.delete(oldest);
  }

  forget(uid: string): void {
    this.#byUid.delete(uid);
  }
}

/** The object without its status and without what the server counts up in its metadata. */
function substance(object: Draft<KubeObject>): unknown {
  const { status: _status, metadata, ...rest } = object as Draft<KubeObject> & { readonly status?: unknown };
  const { resourceVersion: _version, generation: _generation, managedFields: _managed, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

function isFilled(map: Readonly<Record<string, string>> | undefined): boolean {
  return map !== undefined && Object.keys(map).length > 0;
}

/** The default merge rule of `Child.merge`. */
function replaced(current: KubeObject, wanted: Draft<KubeObject>): Draft<KubeObject> {
  const { apiVersion: _version, kind: _kind, metadata, ...rest } = wanted as Draft<KubeObject> & { readonly status?: unknown };
  const { status: _status, ...content } = rest;
  const { labels: _labels, annotations: _annotations, ...meta } = current.metadata;
  return {
    ...current,
    ...content,
    metadata: {
      ...meta,
      ...(isFilled(metadata.labels) ? { labels: { ...metadata.labels } } : {}),
      ...(isFilled(metadata.annotations) ? { annotations: { ...metadata.annotations } } : {}),
    },
  };
}

export interface ApplyChildrenOptions {
  readonly world: PassWorld;
  readonly recent: RecentChildren;
  readonly settled: Settled;
  readonly primaryKey: string;
  readonly primaryKind: Kind;
  readonly primary: { readonly metadata: ObjectMeta };
  readonly owns: readonly Kind[];
  readonly onCreated: (event: PlanEvent) => void;
}

/** Whether the shell makes the primary the controlling owner of a child. */
function takesOwner(child: Child, { primary }: ApplyChildrenOptions): boolean {
  if (child.unowned === true || controllerOf({ metadata: { ownerReferences: child.object.metadata.ownerReferences ?? [] } }) !== undefined) return false;
  // A namespaced object cannot own what lives elsewhere.
  return primary.metadata.namespace === undefined || primary.metadata.namespace === child.object.metadata.namespace;
}

async function createChild(child: Child, options: ApplyChildrenOptions): Promise<void> {
  const { kind, object } = child;
  const references = object.metadata.ownerReferences ?? [];
  const owned = takesOwner(child, options);
  const ownerReferences = owned ? [...references, ownerReferenceFor(options.primaryKind, options.primary)] : references;
  const draft = { ...object, metadata: { ...object.metadata, ...(ownerReferences.length === 0 ? {} : { ownerReferences }) } };
  const result = await options.world.client.create(kind, draft);
  if (owned) options.recent.add(options.primaryKey, { kind, namespace: result.metadata.namespace ?? "", name: result.metadata.name });
  settle(child, result, options.settled);
  if (child.onCreated !== undefined) options.onCreated(child.onCreated(result));
}

function mergedWith(child: Child, current: KubeObject): Draft<KubeObject> | undefined {
  return child.merge === undefined ? replaced(current, child.object) : child.merge(current, child.object);
}

function settle(child: Child, result: KubeObject, settled: Settled): void {
  const again = mergedWith(child, result);
  if (again !== undefined && !equal(substance(again), substance(result))) settled.record(result, again);
}

async function updateChild(child: Child, current: KubeObject, options: ApplyChildrenOptions): Promise<void> {
  if (current.metadata.deletionTimestamp !== undefined) return;
  const controller = controllerOf(current);
  const foreign = controller !== undefined && controller.uid !== options.primary.metadata.uid;
  const adopt = controller === undefined && takesOwner(child, options);
  if (foreign && takesOwner(child, options)) {
    throw conflict(
      { group: child.kind.group, resource: child.kind.plural },
      current.metadata.name,
      `it is controlled by ${controller.kind} ${JSON.stringify(controller.name)}`,
    );
  }
  const merged = mergedWith(child, current) ?? (adopt ? current : undefined);
  if (merged === undefined) return;
  const wanted = adopt ? withOwner(merged, options) : merged;
  if (equal(substance(wanted), substance(current)) || options.settled.holds(current, wanted)) return;
  const metadata = { ...wanted.metadata, resourceVersion: wanted.metadata.resourceVersion ?? current.metadata.resourceVersion };
  const result = await options.world.client.update(child.kind, { ...wanted, metadata });
  if (adopt) options.recent.add(options.primaryKey, { kind: child.kind, namespace: result.metadata.namespace ?? "", name: result.metadata.name });
  settle(child, result, options.settled);
}

function withOwner(object: Draft<KubeObject>, { primaryKind, primary }: ApplyChildrenOptions): Draft<KubeObject> {
  const references = object.metadata.ownerReferences ?? [];
  return { ...object, metadata: { ...object.metadata, ownerReferences: [...references, ownerReferenceFor(primaryKind, primary)] } };
}

async function applyChild(child: Child, options: ApplyChildrenOptions): Promise<void> {
  const { name, namespace = "" } = child.object.metadata;
  const current = name === undefined ? undefined : await options.world.client.find(child.kind, namespace, name);
  if (current === undefined) await createChild(child, options);
  else await updateChild(child, current, options);
}

async function deleteUndesired(desired: readonly Child[], options: ApplyChildrenOptions): Promise<void> {
  const wanted = new Set(desired.map((child) => `${kindId(child.kind)}/${child.object.metadata.namespace ?? ""}/${child.object.metadata.name ?? ""}`));
  for (const kind of options.owns) {
    for (const row of options.world.childRows(kind, options.primary.metadata.uid)) {
      if (row.deletionTimestamp !== undefined || wanted.has(`${kindId(kind)}/${row.namespace}/${row.name}`)) continue;
      try {
        await options.world.client.delete(kind, row, { preconditions: { uid: row.uid }, propagationPolicy: "Background" });
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      options.settled.forget(row.uid);
    }
  }
}

/**
 * Applies all; stops at the first child that the server refuses and returns it. Conflict and AlreadyExists are
 * thrown: the key has to be observed again. Deletions are made also after a refusal.
 */
export async function applyChildren(desired: readonly Child[], options: ApplyChildrenOptions): Promise<readonly Refusal[]> {
  const refusals: Refusal[] = [];
  for (const child of desired) {
    try {
      await applyChild(child, options);
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason === "Conflict" || error.reason === "AlreadyExists") throw error;
      refusals.push({ child, error });
      break;
    }
  }
  await deleteUndesired(desired, options);
  return refusals;
}
