// ContainerSource (sources.knative.dev/v1): pods that send events of their own making.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import type { PodTemplateSpec } from "../core/v1.types.ts";
import { sourceSpec, sourceStatus } from "../duck/source.ts";
import { SOURCE_COLUMNS, sourcesGroup } from "./group.ts";

/** The template's content is judged when pods are made of it. */
const Spec = s.object({ ...sourceSpec, template: s.filled(s.anything<PodTemplateSpec>()) });
export type ContainerSourceSpec = ValueOf<typeof Spec>;

const Status = s.object(sourceStatus);
export type ContainerSourceStatus = ValueOf<typeof Status>;

/** What all versions share. */
export const containerKind = {
  ...sourcesGroup,
  kind: "ContainerSource",
  plural: "containersources",
  columns: SOURCE_COLUMNS,
  spec: Spec,
  status: Status,
} as const;

export const ContainerSource = defineKind(containerKind);
export type ContainerSource = ObjectOf<typeof ContainerSource>;

export const containerSourceConditions = conditionSet({ happy: "Ready", dependents: ["SinkBindingReady", "ReceiveAdapterReady"] });
