// Image (caching.internal.knative.dev/v1alpha1): an image that a cache may fetch ahead.
import { defineKind, s, type ObjectOf } from "#schema";
import { duckStatus } from "../duck/status.ts";
import { cachingGroup } from "../serving/group.ts";

export const Image = defineKind({
  ...cachingGroup,
  kind: "Image",
  plural: "images",
  spec: s.object({
    image: s.string(),
    imagePullSecrets: s.optional(s.list(s.object({ name: s.optional(s.string()) }), { plain: true })),
    serviceAccountName: s.optional(s.string()),
  }),
  status: s.object(duckStatus),
});
export type Image = ObjectOf<typeof Image>;
