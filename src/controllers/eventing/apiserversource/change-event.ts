// The event that tells a change of an object (eventing.md 3.2). Pure.
import { createHash } from "node:crypto";
import { apiVersionOf, type Kind, type KubeObject } from "#schema";

export type ChangeType = "add" | "update" | "delete";

export interface ChangeEvent {
  readonly attributes: Readonly<Record<string, string>>;
  readonly data: string;
}

export interface ChangeOf {
  readonly change: ChangeType;
  readonly kind: Kind;
  readonly object: KubeObject;
}

/** The same for the same change of the same object, which goes but once. */
function idOf(source: string, { change, object: { metadata } }: ChangeOf): string {
  const version = change === "delete" ? "" : metadata.resourceVersion;
  const hex = createHash("sha256").update(`${source} ${change} ${metadata.uid} ${version}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

export function changeEvent(
  change: ChangeOf,
  its: { readonly uid: string; readonly mode: string; readonly host: string; readonly overrides: Readonly<Record<string, string>>; readonly time: string },
): ChangeEvent {
  const { kind, object } = change;
  const { name, namespace = "" } = object.metadata;
  const apiVersion = apiVersionOf(kind);
  const isReference = its.mode === "Reference";
  const overrides = Object.fromEntries(Object.entries(its.overrides).map(([key, value]) => [key.toLowerCase(), value]));
  return {
    attributes: {
      id: idOf(its.uid, change),
      type: `dev.knative.apiserver.${isReference ? "ref" : "resource"}.${change.change}`,
      source: its.host,
      subject: `/apis/${apiVersion}/namespaces/${namespace}/${kind.plural}/${name}`,
      time: its.time,
      datacontenttype: "application/json",
      apiversion: apiVersion,
      kind: kind.kind,
      name,
      namespace,
      ...overrides,
    },
    data: JSON.stringify(isReference ? { apiVersion, kind: kind.kind, name, namespace } : { ...object, apiVersion, kind: kind.kind }),
  };
}
