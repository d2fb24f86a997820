// SinkBindings as the API server knows them: kinds of workloads are served so that their objects are bound as they are written.
import type { ServedKind } from "#apiserver";
import type { Client, InformerSet } from "#client";
import { bindingAdmission, Namespace, SinkBinding, type BindingAdmissionDeps } from "#kinds";

/** Kinds whose objects may be bound to a sink, and are watched for that; those of users are looked at every now and then. */
export const WORKLOADS: readonly string[] = ["apps/Deployment", "apps/ReplicaSet", "serving.knative.dev/Service", "serving.knative.dev/Configuration"];

export interface SinkBindingsOptions {
  readonly informers: () => InformerSet;
  readonly client: () => Client;
}

function depsOf({ informers, client }: SinkBindingsOptions): BindingAdmissionDeps {
  const rows = (): ReturnType<typeof memory> => memory(informers());
  return {
    rows: (namespace) => rows().list(namespace),
    binding: (namespace, name) => client().find(SinkBinding, namespace, name),
    namespace: (name) => client().find(Namespace, "", name),
  };
}

/** Resolves once all are known that there are; memory is filled from then on. */
export function rememberSinkBindings(informers: InformerSet): Promise<void> {
  return memory(informers).synced;
}

function memory(informers: InformerSet) {
  return informers.of(SinkBinding, "subjects", ({ metadata: { name }, spec: { subject } }) => ({ name, subject }));
}

/** Of objects without a pod template nothing is changed. */
export function bindable(served: ServedKind, options: SinkBindingsOptions): ServedKind {
  return { ...served, admit: bindingAdmission(served.kind, served.admit, depsOf(options)) };
}

/** Of our own kinds the workloads. */
export function withSinkBindings(served: ServedKind, options: SinkBindingsOptions): ServedKind {
  return WORKLOADS.includes(`${served.kind.group}/${served.kind.kind}`) ? bindable(served, options) : served;
}
