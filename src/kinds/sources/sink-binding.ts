// SinkBinding (sources.knative.dev/v1): tells the pods of any workload where their events go.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { sourceSpec, sourceStatus } from "../duck/source.ts";
import { bindingsGroup, LabelSelectorSchema, SOURCE_COLUMNS } from "./group.ts";

const text = s.optional(s.string());

const Subject = s.object({ apiVersion: text, kind: text, name: text, namespace: text, selector: s.optional(LabelSelectorSchema) });
/** By name or by labels. */
export type BindingSubject = ValueOf<typeof Subject>;

const Spec = s.object({ ...sourceSpec, subject: s.filled(Subject) });
export type SinkBindingSpec = ValueOf<typeof Spec>;

const Status = s.object({ ...sourceStatus, oidcTokenSecretName: text });
export type SinkBindingStatus = ValueOf<typeof Status>;

/** What all versions share. */
export const bindingKind = {
  ...bindingsGroup,
  kind: "SinkBinding",
  plural: "sinkbindings",
  columns: SOURCE_COLUMNS,
  spec: Spec,
  status: Status,
} as const;

export const SinkBinding = defineKind(bindingKind);
export type SinkBinding = ObjectOf<typeof SinkBinding>;

export const sinkBindingConditions = conditionSet({
  happy: "Ready",
  dependents: ["SinkBindingAvailable", "SinkProvided", "OIDCIdentityCreated", "OIDCTokenSecretCreated", "TrustBundlePropagated"],
});
