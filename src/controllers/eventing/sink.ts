// What sources tell of where their events go.
import type { ResolvedAddress, SinkBindingStatus } from "#kinds";
import type { PlanEvent } from "#reconcile";

export type SinkAddresses = Pick<SinkBindingStatus, "sinkUri" | "sinkCACerts" | "sinkAudience">;

/** A resolved sink as a source's status tells it. */
export function sinkStatus({ url, CACerts, audience }: ResolvedAddress): SinkAddresses {
  return { sinkUri: url, ...(CACerts === undefined ? {} : { sinkCACerts: CACerts }), ...(audience === undefined ? {} : { sinkAudience: audience }) };
}

/** What a source says of a sink that is not there. */
export function sinkNotFound(sink: unknown): PlanEvent {
  return { type: "Warning", reason: "SinkNotFound", message: `Sink not found: ${JSON.stringify(sink)}` };
}
