// Whom SinkBindings bind: found by name or by labels, and remembered, so that a new or changed workload wakes its bindings.
import type { Client } from "#client";
import { StatusError } from "#core";
import type { BindableObject, BindingSubject, KReference } from "#kinds";
import type { Watched } from "#reconcile";
import { formatLabelSelector, requirementsOf, type Kind, type KubeObject, type ObjectKey } from "#schema";

/** All that is bound; or why it cannot be told, in Knative's words. */
export type FoundSubjects =
  | { readonly kind: Kind; readonly subjects: readonly BindableObject[] }
  | { readonly reason: "SubjectMissing" | "SubjectUnavailable"; readonly message: string };

/** Losing it is harmless: after a start every binding is reconciled and names its subject again. */
export class SubjectTracker {
  readonly #bindings = new Map<string, { readonly key: ObjectKey; readonly subject: BindingSubject }>();

  track(key: ObjectKey, subject: BindingSubject): void {
    this.#bindings.set(`${key.namespace}/${key.name}`, { key, subject });
  }

  forget({ namespace, name }: ObjectKey): void {
    this.#bindings.delete(`${namespace}/${name}`);
  }

  /** Bindings by labels are woken by every object of the kind in their namespace: they look for themselves. */
  bindingsOf({ kind, metadata: { namespace = "", name } }: KubeObject): readonly ObjectKey[] {
    return [...this.#bindings.values()].flatMap(({ key, subject }) =>
      subject.kind === kind && key.namespace === namespace && (subject.selector !== undefined || subject.name === name) ? [key] : [],
    );
  }

  watches(kinds: readonly Kind[]): readonly Watched[] {
    return kinds.map((kind) => ({ kind, keys: (object) => this.bindingsOf(object) }));
  }
}

export function kindReference({ apiVersion = "", kind = "" }: BindingSubject): KReference {
  return { apiVersion, kind };
}

export async function findSubjects(client: Client, kind: Kind | undefined, subject: BindingSubject & { readonly namespace: string }): Promise<FoundSubjects> {
  const { namespace, name = "", selector } = subject;
  if (kind === undefined) {
    const message = `no matches for kind ${JSON.stringify(subject.kind ?? "")} in version ${JSON.stringify(subject.apiVersion ?? "")}`;
    return { reason: "SubjectUnavailable", message };
  }
  if (name !== "") {
    const found = await client.find(kind, namespace, name);
    const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
    if (found === undefined) return { reason: "SubjectMissing", message: `${resource} ${JSON.stringify(name)} not found` };
    return { kind, subjects: [found as BindableObject] };
  }
  const requirements = requirementsOf(selector);
  if (requirements === undefined) return { reason: "SubjectUnavailable", message: "the selector has an operator that does not exist" };
  try {
    const { items } = await client.list(kind, { namespace, labelSelector: formatLabelSelector(requirements) });
    return { kind, subjects: items as readonly BindableObject[] };
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return { reason: "SubjectUnavailable", message: error.message };
  }
}
