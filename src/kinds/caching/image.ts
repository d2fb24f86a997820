// Image (caching.internal.knative.dev/v1alpha1): an image that a cache may fetch ahead.
import type { KubeObject } from "#schema";
import type { DuckStatus } from "../serving/duck.ts";
import { cachingKind } from "../serving/knative-kind.ts";

export interface Image extends KubeObject {
  spec: { image: string; serviceAccountName?: string; imagePullSecrets?: { name?: string }[] };
  status?: DuckStatus;
}

export const Image = cachingKind<Image>({
  kind: "Image",
  plural: "images",
  columns: [],
  schema: { type: "object" },
});
