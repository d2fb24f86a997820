// Recorded requests to Eventing that are not compared, and those that differ, each with the reason.
import type { ValidationCase } from "./check.ts";

/** By what the path names: kinds that are not served. */
const SKIPPED: Readonly<Record<string, string>> = {
  eventpolicies: "EventPolicy: access policies are a later issue",
  eventtransforms: "EventTransform is a later issue",
  integrationsinks: "IntegrationSink is a later issue",
  integrationsources: "IntegrationSource is a later issue",
  jobsinks: "JobSink is a later issue",
  requestreplies: "RequestReply is a later issue",
};

/** Why the request is not sent; undefined when it is. */
export function skippedEventing({ request }: ValidationCase): string | undefined {
  const [, plural = ""] = /^\/apis\/[^/]+\/[^/]+\/namespaces\/eventing-validation\/([a-z]+)/.exec(request.path) ?? [];
  return SKIPPED[plural];
}

/** One that passes unexpectedly fails the tests. */
export const EVENTING_EXPECTATIONS: Readonly<Record<string, string>> = {
  "trigger-filters-bad-cesql": "what is wrong in the expression is told; Knative's parser broke down",
  "trigger-filters-nested-bad": "what is wrong in the expression is told, and where",
  "update-sinkbinding-subject": "the controller of SinkBindings ran beside the webhook: its finalizer and status are on the object",
  "inmemorychannel-empty": "the webhook of InMemoryChannels did not run when this was recorded: it sets the annotations",
  "parallel-bad-filter": "what is wrong in a branch is told, not where the branch lay in memory",
  "sequence-bad-step-delivery": "what is wrong in a step is told, not where its delivery lay in memory",
};
