// Shapes that Knative's statuses share (Knative's "duck types").
import type { Condition } from "#schema";

/** `status` of every Knative kind; conditions are sorted by type. */
export interface DuckStatus {
  observedGeneration?: number;
  conditions?: Condition[];
  annotations?: Record<string, string>;
}

export interface Addressable {
  name?: string;
  url?: string;
  CACerts?: string;
  audience?: string;
}
