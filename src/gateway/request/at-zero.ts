// Requests to a backend without a ready pod that are not held for one.
import type { Backend } from "../pods/backend.ts";
import type { GatewayContext } from "../context.ts";
import { kubeletProbeResponse } from "./network-probe.ts";
import { errorResponse, type OwnResponse } from "../http/own-response.ts";
import type { RequestHead } from "../http/request-head.ts";

/** What is answered without waking anybody: probes, and where there is nobody to wake. */
export function answerAtZero(head: RequestHead, backend: Backend, { draining }: Pick<GatewayContext, "draining">): OwnResponse | undefined {
  const probe = kubeletProbeResponse(head, draining);
  if (probe !== undefined || backend.entry.kind !== "service") return probe;
  return errorResponse(503, `no endpoint of "${backend.key}" is ready`);
}
