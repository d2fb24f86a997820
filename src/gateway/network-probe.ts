// Probes that ask the data path itself, not the application: they wake nothing and count nowhere.
import { errorResponse, textResponse, type OwnResponse } from "./own-response.ts";
import type { RequestHead } from "./request-head.ts";

/** The answer to `K-Network-Probe`; undefined when the request is no probe. `routeHash` replaces the hash `override`. */
export function probeResponse(head: RequestHead, routeHash: string | undefined): OwnResponse | undefined {
  if (head.probe === "") return undefined;
  if (head.probe === "activator") return textResponse(200, "activator");
  if (head.probe !== "probe") return errorResponse(400, `unexpected probe header value: "${head.probe}"`);
  if (head.probeHash === "") return errorResponse(400, 'a probe request must contain a non-empty "K-Network-Hash" header');
  const hash = head.probeHash === "override" && routeHash !== undefined ? routeHash : head.probeHash;
  return { status: 200, headers: `K-Network-Hash: ${hash}\r\n`, body: "" };
}
