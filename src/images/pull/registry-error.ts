// What can go wrong between us and a registry, in the words of go-containerregistry and of Go's net: Knative's users know them.

export type RegistryErrorKind = "unreachable" | "unauthorized" | "notFound" | "busy" | "refused" | "damaged";

/** `kind` is for programs, `message` for people. */
export class RegistryError extends Error {
  readonly kind: RegistryErrorKind;

  constructor(kind: RegistryErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "RegistryError";
    this.kind = kind;
  }
}

/** The reason of a signal that aborts because the time is over. */
export class DeadlineExceeded extends Error {
  constructor() {
    super("context deadline exceeded");
    this.name = "DeadlineExceeded";
  }
}

/** An answer whose status says no. A HEAD has no body that could say more. */
export function statusError({ method, url, status, statusText, body }: StatusOf): RegistryError {
  const code = `${status} ${statusText}`.trim();
  const hint = method === "HEAD" ? " (HEAD responses have no body, use GET for details)" : toldBy(body);
  return new RegistryError(kindOf(status), `${method} ${url}: unexpected status code ${code}${hint}`);
}

export interface StatusOf {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly body: string;
}

function kindOf(status: number): RegistryErrorKind {
  if (status === 401 || status === 403) return "unauthorized";
  if (status === 404) return "notFound";
  return status === 429 || status >= 500 ? "busy" : "refused";
}

const BODY_SHOWN_MAX = 300;

/** The registry's own errors (`{"errors":[{"code","message"}]}`), or the beginning of what it said. */
function toldBy(body: string): string {
  try {
    const { errors } = JSON.parse(body) as { readonly errors?: readonly { readonly code?: string; readonly message?: string }[] };
    const told = (errors ?? []).map(({ code = "", message = "" }) => [code, message].filter((word) => word !== "").join(": ")).join("; ");
    if (told !== "") return `: ${told.slice(0, BODY_SHOWN_MAX)}`;
  } catch {
    // Not every registry answers in JSON.
  }
  const short = body.trim().replace(/\s+/g, " ").slice(0, BODY_SHOWN_MAX);
  return short === "" ? "" : `: ${short}`;
}

interface NetworkFault {
  readonly code?: string;
  readonly address?: string;
  readonly port?: number;
  readonly hostname?: string;
  readonly message?: string;
  readonly errors?: readonly NetworkFault[];
}

const CONNECT_WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  ENETUNREACH: "connect: network is unreachable",
  EHOSTUNREACH: "connect: no route to host",
  ETIMEDOUT: "i/o timeout",
};
const UNTRUSTED = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_UNTRUSTED",
]);
const NOT_TLS = new Set(["EPROTO", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SSL_PACKET_LENGTH_TOO_LONG"]);

/** `Get "https://…": dial tcp 127.0.0.1:5000: connect: connection refused`. */
export function networkError(method: string, url: string, error: unknown, signal: AbortSignal): RegistryError {
  const verb = `${method[0] ?? ""}${method.slice(1).toLowerCase()}`;
  return new RegistryError("unreachable", `${verb} "${url}": ${signal.aborted ? abortWords(signal) : wordsOf(error as NetworkFault, url)}`, error);
}

function abortWords({ reason }: AbortSignal): string {
  return reason instanceof DeadlineExceeded ? reason.message : "context canceled";
}

function wordsOf(fault: NetworkFault, url: string): string {
  // An attempt for each of the host's addresses; the last one stands for all.
  const last = fault.errors?.at(-1);
  if (last !== undefined) return wordsOf(last, url);
  const { code = "", address = "", port } = fault;
  const { hostname } = new URL(url);
  const refused = CONNECT_WORDS[code];
  if (refused !== undefined && port !== undefined) return `dial tcp ${address.includes(":") ? `[${address}]` : address}:${port}: ${refused}`;
  if (code === "ENOTFOUND") return `dial tcp: lookup ${fault.hostname ?? hostname}: no such host`;
  if (code === "EAI_AGAIN") return `dial tcp: lookup ${fault.hostname ?? hostname}: Temporary failure in name resolution`;
  if (UNTRUSTED.has(code)) return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  if (code === "CERT_HAS_EXPIRED" || code === "CERT_NOT_YET_VALID")
    return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `tls: failed to verify certificate: x509: certificate is not valid for ${hostname}`;
  if (NOT_TLS.has(code)) return "http: server gave HTTP response to HTTPS client";
  if (code === "ECONNRESET" || code === "EPIPE") return "EOF";
  return fault.message ?? "no answer";
}
