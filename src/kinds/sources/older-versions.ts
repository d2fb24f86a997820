// The sources in their older versions: other views of what is stored as v1.
import { defineKind, s, type Kind, type KubeObject } from "#schema";
import { viewOf, type KindView } from "../kind-view.ts";
import { ApiServerSource, apiServerKind } from "./api-server-source.ts";
import { ContainerSource, containerKind } from "./container-source.ts";
import { pingFields, pingKind, PingSource, type PingSourceSpec } from "./ping-source.ts";
import { SinkBinding, bindingKind } from "./sink-binding.ts";

/** That a version is old, and what to do about it. */
function deprecated(version: string, kind: string, page: string): { readonly deprecationWarning: string } {
  const text = `sources.knative.dev/${version} ${kind} is deprecated; see https://knative.dev/docs/eventing/sources/${page}/`;
  return { deprecationWarning: `${text} for instructions to migrate to sources.knative.dev/v1 ${kind}` };
}

type PingV1Beta1Spec = PingSourceSpec & { readonly jsonData?: string };
const specOf = (object: KubeObject): PingV1Beta1Spec => (object as KubeObject & { readonly spec?: PingV1Beta1Spec }).spec ?? ({} as PingV1Beta1Spec);
const withSpec = (object: KubeObject, spec: object): KubeObject => ({ ...object, spec }) as KubeObject;

/** What is no JSON object is wrapped into one. */
function jsonDataOf(text: string): string {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
  } catch {
    // It is a text then.
  }
  return JSON.stringify({ body: text });
}

/** `jsonData` is what v1 says with `data` and `contentType`; who sends it means it. */
function pingFromV1Beta1(object: KubeObject): KubeObject {
  const { jsonData, ...spec } = specOf(object);
  return jsonData === undefined || jsonData === ""
    ? withSpec(object, spec)
    : withSpec(object, { ...spec, contentType: "application/json", data: jsonDataOf(jsonData) });
}

function pingToV1Beta1(object: KubeObject): KubeObject {
  const spec = specOf(object);
  const isJson = spec.contentType === "application/json" && spec.data !== undefined;
  return isJson ? withSpec(object, { ...spec, jsonData: spec.data }) : object;
}

const older = (version: string, kind: string, page: string) => ({ version, storageVersion: "v1", ...deprecated(version, kind, page) });
const asKind = (kind: unknown): Kind => kind as Kind;

export const olderSources: readonly KindView[] = [
  viewOf(asKind(defineKind({ ...pingKind, spec: s.object(pingFields), ...older("v1beta2", "PingSource", "ping-source") })), asKind(PingSource)),
  viewOf(
    asKind(defineKind({ ...pingKind, spec: s.object({ ...pingFields, jsonData: s.optional(s.string()) }), ...older("v1beta1", "PingSource", "ping-source") })),
    asKind(PingSource),
    { read: pingToV1Beta1, write: pingFromV1Beta1 },
  ),
  viewOf(asKind(defineKind({ ...apiServerKind, ...older("v1beta1", "ApiServerSource", "apiserversource") })), asKind(ApiServerSource)),
  viewOf(asKind(defineKind({ ...containerKind, ...older("v1beta1", "ContainerSource", "custom-event-source/containersource") })), asKind(ContainerSource)),
  viewOf(asKind(defineKind({ ...bindingKind, ...older("v1beta1", "SinkBinding", "custom-event-source/sinkbinding") })), asKind(SinkBinding)),
];
