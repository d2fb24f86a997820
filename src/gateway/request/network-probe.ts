// Probes that ask the data path itself, not the application: they wake nothing and count nowhere.
import { valuesOf } from "../http/head-scan.ts";
import { errorResponse, textResponse, type OwnResponse } from "../http/own-response.ts";
import type { RequestHead } from "../http/request-head.ts";

/** As Go escapes text that a browser may show. */
const ESCAPED: Readonly<Record<string, string>> = { "&": "&amp;", "'": "&#39;", "<": "&lt;", ">": "&gt;", '"': "&#34;" };

/** The answer to `K-Network-Probe`; undefined when the request is no probe. `routeHash` replaces the hash `override`. */
export function probeResponse(head: RequestHead, routeHash: string | undefined): OwnResponse | undefined {
  if (head.probe === "") return undefined;
  if (head.probe === "activator") return textResponse(200, "activator");
  if (head.probe !== "probe") return errorResponse(400, `unexpected probe header value: "${head.probe.replace(/[&'<>"]/g, (sign) => ESCAPED[sign] ?? "")}"`);
  if (head.probeHash === "") return errorResponse(400, 'a probe request must contain a non-empty "K-Network-Hash" header');
  const hash = head.probeHash === "override" && routeHash !== undefined ? routeHash : head.probeHash;
  return { status: 200, headers: `K-Network-Hash: ${hash}\r\n`, body: "" };
}

/**
 * The answer to a kubelet's probe that no application answers: because it names none (it asks for the gateway itself) or because
 * the application is at zero, and no probe shall wake it. Undefined when the request is no such probe.
 */
export function kubeletProbeResponse(head: RequestHead, draining: boolean): OwnResponse | undefined {
  const marked = valuesOf(head.text, head.fields, "k-kubelet-probe").some((value) => value !== "");
  if (!marked && valuesOf(head.text, head.fields, "user-agent")[0]?.startsWith("kube-probe/") !== true) return undefined;
  return draining ? errorResponse(500, "received SIGTERM from kubelet") : textResponse(200, "");
}
