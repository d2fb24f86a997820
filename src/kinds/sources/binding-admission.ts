// Workloads are bound as they are made or changed (eventing.md 3.4), so that their first pods know their sink. What a binding changes later,
// its controller writes.
import type { Admit, Kind, KubeObject } from "#schema";
import { boundTemplate, isBindable, isBoundAlike, isSubject, templateBinding, type BindableObject, type TemplateBinding } from "./bound-template.ts";
import type { BindingSubject, SinkBinding } from "./sink-binding.ts";

/** On a binding: what it has bound can be undone. */
export const BINDING_FINALIZER = "sinkbindings.sources.knative.dev";

/** Enough of a binding to tell whom it means. */
export interface BindingRow {
  readonly name: string;
  readonly subject: BindingSubject;
}

export interface BindingAdmissionDeps {
  /** Bindings of a namespace, from a memory that may lag behind. */
  readonly rows: (namespace: string) => readonly BindingRow[];
  /** As it is now: one that is going away takes out what it has put in. */
  readonly binding: (namespace: string, name: string) => Promise<SinkBinding | undefined>;
  readonly namespace: (name: string) => Promise<KubeObject | undefined>;
}

/** Before `admit`, which sees what is bound. Of several bindings that mean a workload the first by name binds it. */
export function bindingAdmission<O extends KubeObject>(kind: Pick<Kind, "group" | "kind">, admit: Admit<O> | undefined, deps: BindingAdmissionDeps): Admit<O> {
  const next: Admit<O> = admit ?? (({ object }) => ({ object, warnings: [] }));
  return async (request) => {
    const { object, operation, subresource } = request;
    const spec = operation === "DELETE" || subresource !== "" ? undefined : (object as BindableObject).spec?.template?.spec;
    const { namespace = "" } = object.metadata;
    const rows = spec === undefined ? [] : deps.rows(namespace).filter(({ subject }) => isSubject(subject, kind, object));
    if (rows.length === 0 || spec === undefined) return next(request);
    const binding = await inForce(rows, namespace, deps);
    if (binding === undefined || !isBindable(object, await deps.namespace(namespace))) return next(request);
    const changed = boundTemplate(spec, binding);
    return next(isBoundAlike(spec, changed) ? request : { ...request, object: withPodSpec(object, changed) });
  };
}

async function inForce(rows: readonly BindingRow[], namespace: string, { binding }: BindingAdmissionDeps): Promise<TemplateBinding | undefined> {
  for (const { name } of [...rows].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const found = await binding(namespace, name);
    const isHeld = found?.metadata.deletionTimestamp === undefined && found?.metadata.finalizers?.includes(BINDING_FINALIZER) === true;
    const sinkUri = found?.status?.sinkUri ?? "";
    if (isHeld && sinkUri !== "") return templateBinding(sinkUri, found.status ?? {}, found.spec.ceOverrides);
  }
  return undefined;
}

function withPodSpec<O extends KubeObject>(object: O, podSpec: object): O {
  const { spec } = object as BindableObject;
  return { ...object, spec: { ...spec, template: { ...spec?.template, spec: podSpec } } };
}
