// What two webhooks of one kind are, whichever of Knative's parts they belong to.
import type { AdmissionRequest, KubeObject } from "#schema";

/** Names are part of what a refusal says. */
export interface WebhookNames {
  readonly defaulting: string;
  readonly validation: string;
}

/** Knative's two webhooks of one kind. Between them a server looks at the schema. A StatusError refuses. */
export interface KnativeWebhooks<O extends KubeObject = KubeObject> {
  readonly names: WebhookNames;
  /** The typed form with all defaults. */
  mutate(request: AdmissionRequest<O>): O;
  /** Answers warnings. */
  validate(request: AdmissionRequest<O>): Promise<readonly string[]>;
}
