// The event of one run of a PingSource, as a request. Pure.
import { createHash } from "node:crypto";
import type { Ping } from "#protocol";
import { encodeMessage } from "../cloudevents/http.ts";
import type { Outgoing } from "../delivery/send.ts";

/** As for deliveries: a sink may have to wake. */
const TIMEOUT_MS = 600_000;

/** The same for the same run, however often it is sent. */
export function runId(source: string, runMs: number): string {
  const hex = createHash("sha256").update(`${source} ${runMs}`).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20, 32)].join("-");
}

export function pingRequest(ping: Ping, runMs: number): Outgoing {
  const { namespace, name, id, overrides, contentType, data } = ping;
  const own: [string, string][] = [
    ["specversion", "1.0"],
    ["id", runId(id, runMs)],
    ["type", "dev.knative.sources.ping"],
    ["source", `/apis/v1/namespaces/${namespace}/pingsources/${name}`],
    ["time", new Date(runMs).toISOString()],
  ];
  if (data !== undefined && contentType !== undefined && contentType !== "") own.push(["datacontenttype", contentType]);
  const attributes = new Map([...own, ...Object.entries(overrides).map(([key, value]) => [key.toLowerCase(), value] as const)]);
  const event = { form: "binary", attributes, ...(data === undefined ? {} : { data: { octets: data, is: "opaque" } as const }) } as const;
  const { headers, body } = encodeMessage(event, "binary");
  return { target: ping.target, headers: { ...headers, "kn-namespace": namespace }, body, timeoutMs: TIMEOUT_MS };
}
