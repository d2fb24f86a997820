// PingSource (sources.knative.dev/v1): sends the same event again and again, by a schedule.
import { conditionSet, defineKind, s, type ObjectOf, type ValueOf } from "#schema";
import { sourceSpec, sourceStatus } from "../duck/source.ts";
import { eventTypes, PING_COLUMNS, sourcesGroup } from "./group.ts";

const text = s.optional(s.string());

export const pingFields = { ...sourceSpec, contentType: text, data: text, dataBase64: text, schedule: text, timezone: text };
const Spec = s.object(pingFields);
export type PingSourceSpec = ValueOf<typeof Spec>;

export const PingStatus = s.object(sourceStatus);
export type PingSourceStatus = ValueOf<typeof PingStatus>;

/** What all versions share. */
export const pingKind = {
  ...sourcesGroup,
  kind: "PingSource",
  plural: "pingsources",
  columns: PING_COLUMNS,
  annotations: eventTypes([{ type: "dev.knative.sources.ping", description: "What a PingSource sends, as often as its schedule says" }]),
  status: PingStatus,
} as const;

export const PingSource = defineKind({ ...pingKind, spec: Spec });
export type PingSource = ObjectOf<typeof PingSource>;

export const pingSourceConditions = conditionSet({ happy: "Ready", dependents: ["SinkProvided", "Deployed", "OIDCIdentityCreated"] });
