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
  apiserversources: "not served yet",
  containersources: "not served yet",
  eventtypes: "not served yet",
  pingsources: "not served yet",
  sinkbindings: "not served yet",
};

/** Why the request is not sent; undefined when it is. */
export function skippedEventing({ request }: ValidationCase): string | undefined {
  const [, plural = ""] = /^\/apis\/[^/]+\/[^/]+\/namespaces\/eventing-validation\/([a-z]+)/.exec(request.path) ?? [];
  return SKIPPED[plural];
}

/** One that passes unexpectedly fails the tests. */
export const EVENTING_EXPECTATIONS: Readonly<Record<string, string>> = {
  "trigger-filters-bad-cesql": "CESQL is not parsed at admission yet",
  "trigger-filters-nested-bad": "CESQL is not parsed at admission yet",
  "inmemorychannel-empty": "the webhook of InMemoryChannels did not run when this was recorded: it sets the annotations",
  "parallel-bad-filter": "what is wrong in a branch is told, not where the branch lay in memory",
  "sequence-bad-step-delivery": "what is wrong in a step is told, not where its delivery lay in memory",
};
