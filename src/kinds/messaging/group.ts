// What the kinds of messaging.knative.dev have in common (eventing.md §0.1).
import { eventingLabels } from "../eventing/group.ts";

const GROUP = { group: "messaging.knative.dev", version: "v1" } as const;

export const messagingGroup = { ...GROUP, categories: ["all", "knative", "messaging"], labels: eventingLabels.plain } as const;

export const channelGroup = {
  ...GROUP,
  categories: ["all", "knative", "messaging", "channel"],
  labels: { ...eventingLabels.addressable, "messaging.knative.dev/subscribable": "true" },
} as const;
