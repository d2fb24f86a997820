// Route (serving.knative.dev/v1): a name, a URL and where its traffic goes.
import type { KubeObject } from "#schema";
import type { Addressable, DuckStatus } from "./duck.ts";
import { READY, URL_COLUMN } from "./columns.ts";
import { servingKind } from "./knative-kind.ts";

export interface TrafficTarget {
  tag?: string;
  revisionName?: string;
  configurationName?: string;
  latestRevision?: boolean;
  percent?: number;
  /** Set by the platform only. */
  url?: string;
}

export interface RouteStatus extends DuckStatus {
  url?: string;
  address?: Addressable;
  traffic?: TrafficTarget[];
}

export interface Route extends KubeObject {
  spec: { traffic?: TrafficTarget[] };
  status?: RouteStatus;
}

export const Route = servingKind<Route>({
  kind: "Route",
  plural: "routes",
  shortNames: ["rt"],
  columns: [URL_COLUMN, ...READY],
  labels: { "duck.knative.dev/addressable": "true" },
  schema: { type: "object" },
});
