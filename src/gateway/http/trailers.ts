// Fields that may not come behind a body: whoever merges trailers into the head would take them for the head's own (RFC 9110 6.5.1).

/** Framing, routing, controls of the connection, authentication and what says how to read the content. */
const NEVER: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "max-forwards",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "www-authenticate",
]);

/** Whether a field called `name` may stand in a trailer section. */
export function mayTrail(name: string): boolean {
  const plain = name.toLowerCase().replaceAll("_", "-");
  return !NEVER.has(plain) && !plain.startsWith("x-forwarded-") && !plain.startsWith("k-") && !plain.startsWith("knative-");
}
