// Requests that are passed on to an HTTP server behind the API: both bodies as they come, other protocols taken over.
import type { ClientRequest, IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Duplex } from "node:stream";
import { pipeline } from "node:stream/promises";
import { connect as tlsConnect } from "node:tls";
import { StatusError } from "#core";
import type { ApiRequest, ApiResponse, ProxyTarget } from "../port.ts";
import { wantsUpgrade } from "./websocket.ts";

/** RFC 9110, 7.6.1: between two ends of one connection. HTTP/2 knows none of them. */
const HOP_HEADERS = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** For the API server alone. */
const OWN_HEADERS = new Set(["authorization", "host"]);

export interface ProxyOptions {
  readonly target: ProxyTarget;
  /** Path and query that the server behind is asked for. */
  readonly path: string;
  /** Where `path` lies for the client. */
  readonly prefix: string;
  /** Rejects when the server cannot be reached. */
  readonly connect: () => Promise<Duplex>;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** The answer of the server behind, or 503 when there is none. A path without its slash is redirected to the one with it. */
export async function passOn(request: ApiRequest, options: ProxyOptions): Promise<ApiResponse> {
  const { path, prefix, connect } = options;
  if (!path.startsWith("/")) return redirected(prefix, path);
  let connection: Duplex;
  try {
    connection = await connect();
    return await exchange(request, connection, options);
  } catch (error) {
    if (error instanceof StatusError) throw error;
    throw new StatusError("ServiceUnavailable", `error trying to reach service: ${(error as Error).message}`, { cause: error });
  }
}

function redirected(prefix: string, query: string): ApiResponse {
  return { status: 301, headers: { location: `${prefix}/${query}` }, body: "" };
}

async function exchange(request: ApiRequest, connection: Duplex, { target, path, prefix, signal }: ProxyOptions): Promise<ApiResponse> {
  const upgrade = wantsUpgrade(request);
  const secure = target.scheme === "https";
  // What stands behind is found by the API, not by a name that a certificate could have.
  const createConnection = (): Duplex => (secure ? tlsConnect({ socket: connection as never, rejectUnauthorized: false }) : connection);
  const outgoing = (secure ? httpsRequest : (await import("node:http")).request)({
    method: request.method,
    path,
    headers: headersFor(request, prefix + path, upgrade),
    createConnection: createConnection as never,
    setHost: false,
  });
  const onAbort = (): void => void outgoing.destroy(new Error("the client has gone"));
  signal.addEventListener("abort", onAbort, { once: true });
  outgoing.once("close", () => signal.removeEventListener("abort", onAbort));
  if (signal.aborted) onAbort();
  const answer = answered(outgoing, prefix);
  // A server may answer before it has read all, and read no further.
  if (request.upload === undefined) outgoing.end(request.body);
  else void pipeline(request.upload, outgoing).catch(() => undefined);
  return answer;
}

function headersFor({ headers }: ApiRequest, uri: string, upgrade: boolean): Record<string, string> {
  const host = headers[":authority"] ?? headers["host"] ?? "";
  const own = headers["connection"]?.toLowerCase().split(/\s*,\s*/) ?? [];
  const kept = Object.entries(headers).filter(([name]) => !name.startsWith(":") && !HOP_HEADERS.has(name) && !OWN_HEADERS.has(name) && !own.includes(name));
  const result: Record<string, string> = Object.fromEntries(kept.map(([name, value]) => [name, value ?? ""]));
  const switching = upgrade ? { connection: "Upgrade", upgrade: headers["upgrade"] ?? "" } : {};
  return { ...result, ...switching, host, "x-forwarded-uri": uri.split("?")[0] ?? "", "x-forwarded-host": host, "x-forwarded-proto": "https" };
}

function answered(outgoing: ClientRequest, prefix: string): Promise<ApiResponse> {
  return new Promise((resolve, reject) => {
    outgoing.once("error", reject);
    outgoing.once("response", (response) => {
      outgoing.on("error", (error) => response.destroy(error));
      resolve({ status: response.statusCode ?? 502, headers: headersOf(response, prefix), body: response });
    });
    outgoing.once("upgrade", (response, socket, head) => {
      if (head.length > 0) socket.unshift(head);
      const { upgrade = "" } = response.headers;
      const headers = { ...headersOf(response, prefix), connection: "Upgrade", upgrade };
      resolve({ status: 101, headers, body: "", takeOver: (connection) => joined(connection, socket) });
    });
  });
}

function headersOf({ headers }: IncomingMessage, prefix: string): Record<string, string | readonly string[]> {
  const kept: Record<string, string | readonly string[]> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined && !HOP_HEADERS.has(name)) kept[name] = value;
  // A place on the server itself is behind the proxy for the client.
  const { location } = headers;
  return location?.startsWith("/") === true && !location.startsWith(prefix) ? { ...kept, location: prefix + location } : kept;
}

/** Both directions until both have ended, or one breaks. */
async function joined(connection: Duplex, socket: Duplex): Promise<void> {
  try {
    await Promise.all([pipeline(connection, socket), pipeline(socket, connection)]);
  } catch {
    connection.destroy();
    socket.destroy();
  }
}
