// Traces of requests and of events: each with settings of its own, and counted together.
import { spansOf } from "#gateway";
import type { TracedEvent, TracedRequest } from "#protocol";
import { spansOfEvent } from "./event-spans.ts";
import { Traces, type TracesOptions } from "./traces.ts";

type Shared = Pick<TracesOptions<unknown>, "clock" | "logger" | "metrics" | "print">;

export function allTraces(shared: Shared): { readonly requests: Traces<TracedRequest>; readonly events: Traces<TracedEvent> } {
  return {
    requests: new Traces({ ...shared, service: "eider-gateway", scope: "eider.dev/gateway", spansOf }),
    events: new Traces({ ...shared, service: "eider-events", scope: "eider.dev/events", spansOf: spansOfEvent }),
  };
}
