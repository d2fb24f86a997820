// What the tests of the serving controllers share: frozen objects made from little, and short views of a plan.
import { Configuration, Revision, Route, Service, serving } from "#kinds";
import type { Plan } from "#reconcile";
import { apiVersionOf, type Condition, type Kind, type KubeObject } from "#schema";

export const NAMESPACE = "default";

/** The same value, and nothing in it can be changed. */
export function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    if (!(value instanceof Set) && !(value instanceof Map)) Object.values(value).forEach(frozen);
  }
  return value;
}

export function condition(type: string, status: Condition["status"], reason?: string, message?: string): Condition {
  const time = { lastTransitionTime: "2026-01-01T00:00:00Z" };
  return { type, status, ...time, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) };
}

export const ready = (status: Condition["status"], reason?: string, message?: string): Condition[] => [condition("Ready", status, reason, message)];

interface Overrides {
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly generation?: number;
  readonly owner?: KubeObject;
  readonly deleting?: boolean;
  readonly finalizers?: string[];
}

/** An object of a kind; its uid is made from kind and name, `owner` controls it. */
export function made<O extends KubeObject>(kind: Kind<O>, name: string, body: object, overrides: Overrides = {}): O {
  const { labels, annotations, generation = 1, owner, deleting, finalizers } = overrides;
  const reference =
    owner === undefined ? undefined : { apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true };
  const metadata = {
    name,
    namespace: NAMESPACE,
    uid: `${kind.kind}-${name}`,
    resourceVersion: "1",
    creationTimestamp: "2026-01-01T00:00:00Z",
    generation,
    ...(labels === undefined ? {} : { labels }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(finalizers === undefined ? {} : { finalizers }),
    ...(deleting === true ? { deletionTimestamp: "2026-01-01T00:00:00Z" } : {}),
    ...(reference === undefined ? {} : { ownerReferences: [reference] }),
  };
  return frozen({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, ...body } as unknown as O);
}

export const TEMPLATE = {
  metadata: {},
  spec: { containerConcurrency: 0, timeoutSeconds: 300, enableServiceLinks: false, containers: [{ name: "user-container", image: "dev.local/hello:v1" }] },
};

export function service(overrides: Overrides & { readonly status?: object; readonly traffic?: object[]; readonly revisionName?: string } = {}): Service {
  const { status, traffic = [{ latestRevision: true, percent: 100 }], revisionName } = overrides;
  const template = revisionName === undefined ? TEMPLATE : { ...TEMPLATE, metadata: { name: revisionName } };
  return made(Service, "hello", { spec: { template, traffic }, ...(status === undefined ? {} : { status }) }, overrides);
}

export function configuration(
  overrides: Overrides & { readonly status?: object; readonly revisionName?: string; readonly name?: string; readonly image?: string } = {},
): Configuration {
  const { status, revisionName, name = "hello", image = "dev.local/hello:v1" } = overrides;
  const template = {
    metadata: revisionName === undefined ? {} : { name: revisionName },
    spec: { ...TEMPLATE.spec, containers: [{ name: "user-container", image }] },
  };
  return made(Configuration, name, { spec: { template }, ...(status === undefined ? {} : { status }) }, overrides);
}

/** A Revision of `configuration()`; `number` is the generation that it was made for. */
export function revision(number: number, overrides: Overrides & { readonly status?: object; readonly name?: string; readonly image?: string } = {}): Revision {
  const { status, labels, name = `hello-0000${number}`, image = "dev.local/hello:v1" } = overrides;
  const own = { [serving.configuration]: "hello", [serving.configurationGeneration]: String(number), ...labels };
  const spec = { ...TEMPLATE.spec, containers: [{ name: "user-container", image }] };
  return made(Revision, name, { spec, ...(status === undefined ? {} : { status }) }, { owner: configuration(), ...overrides, labels: own });
}

export function route(overrides: Overrides & { readonly status?: object; readonly traffic?: object[]; readonly name?: string } = {}): Route {
  const { status, traffic = [{ configurationName: "hello", latestRevision: true, percent: 100 }], name = "hello" } = overrides;
  return made(Route, name, { spec: { traffic }, ...(status === undefined ? {} : { status }) }, overrides);
}

interface Status {
  readonly conditions?: readonly Condition[];
}

/** Conditions as `Type=Status Reason: message`, in their order. */
export function conditionsOf(status: object | undefined): string[] {
  return ((status as Status | undefined)?.conditions ?? []).map(
    ({ type, status: value, reason, message }) => `${type}=${value}${reason === undefined ? "" : ` ${reason}`}${message === undefined ? "" : `: ${message}`}`,
  );
}

/** The other members of a status. */
export function restOf(status: object | undefined): object {
  const { conditions: _conditions, ...rest } = (status ?? {}) as Status;
  return rest;
}

/** Wanted children as `Kind/name`; those that only have to stay in brackets. */
export function childrenOf(plan: Plan<unknown>): string[] | undefined {
  return plan.desired?.map(({ kind, object, merge }) => {
    const name = `${kind.kind}/${object.metadata.name ?? ""}`;
    const stays = merge !== undefined && merge(object as KubeObject, object) === undefined;
    return stays ? `(${name})` : name;
  });
}

/** Of the children that are made, then of the plan. */
export function eventsOf(plan: Plan<unknown>): string[] {
  const created = (plan.desired ?? []).flatMap(({ object, onCreated }) => onCreated?.(object as KubeObject) ?? []);
  return [...created, ...(plan.events ?? [])].map(({ type, reason, message }) => `${type} ${reason} ${message}`);
}
