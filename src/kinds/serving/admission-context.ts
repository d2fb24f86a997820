// What checks and defaults of Knative's kinds need to know beside the object.
import type { KubeObject } from "#schema";
import type { ServingConfig } from "../config/serving-config.ts";
import type { FieldErrors } from "../knative-field-error.ts";

export interface AdmissionContext {
  readonly config: ServingConfig;
  readonly operation: "CREATE" | "UPDATE";
  readonly subresource: "" | "status" | "scale";
  readonly userName: string;
  readonly dryRun: boolean;
}

/** The webhook's part of a kind. Both are pure: the object is never changed. */
export interface Webhook<O extends KubeObject> {
  /** The object with all defaults; called after the round trip. */
  defaults(object: O, old: O | undefined, context: AdmissionContext): O;
  validate(object: O, old: O | undefined, context: AdmissionContext): FieldErrors;
}
