// The requests of the gateway bench: a table that every contender gets in the same order.

/** Hosts in the routing tables of all contenders that have one. */
export const HOSTS = 1_000;
/** Hosts that requests ask for. */
const ASKED = 64;
/** A head that comes from a traced client says that it is sampled so often: 1 % of all requests. */
const SAMPLED_EVERY = 25;

export const hostName = (index: number): string => `app-${index}.default.example.com`;

/** Heads of a tool, a program, a browser, and a program that is traced. */
const HEADS: readonly (readonly string[])[] = [
  ["User-Agent: curl/7.88.1", "Accept: */*"],
  ["User-Agent: Go-http-client/1.1", "Accept-Encoding: gzip", "X-Request-Id: 8d1f0c52-93e1-4c07-a3b5-1f0d5e2c7a90"],
  [
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate, br",
    "Cookie: session=0123456789abcdef; theme=dark",
    "Upgrade-Insecure-Requests: 1",
  ],
  ["User-Agent: python-requests/2.32", "Accept: application/json"],
];

/** Head lines of a traced client; every trace is another. */
function traceOf(index: number): string {
  const id = index.toString(16).padStart(8, "0");
  return `traceparent: 00-0af7651916cd43dd${id}${id}-b7ad6b71${id}-${index % SAMPLED_EVERY === 0 ? "01" : "00"}`;
}

/**
 * 1,024 requests, no two alike: 64 of the hosts, four kinds of heads, four paths. Connections take them in turn, so none sends the
 * same head twice in a row, and what a proxy remembers of the last head of a connection is never right.
 */
export function requestTable(lines: readonly string[] = []): string[] {
  const requests: string[] = [];
  for (let host = 0; host < ASKED; host++) {
    for (let path = 0; path < 4; path++) {
      for (const [kind, head] of HEADS.entries()) {
        const traced = kind === HEADS.length - 1 ? [traceOf(host * 4 + path)] : [];
        const target = `/page/${path}?from=${host}`;
        const asked = hostName(Math.floor((host * HOSTS) / ASKED));
        requests.push(`GET ${target} HTTP/1.1\r\n${[`Host: ${asked}`, ...head, ...traced, ...lines].join("\r\n")}\r\n\r\n`);
      }
    }
  }
  return requests;
}

/** One request for a body, or with one. */
export function bodyRequest(method: "GET" | "POST", target: string, options: { readonly bytes?: number; readonly lines?: readonly string[] } = {}): string {
  const { bytes, lines = [] } = options;
  const length = bytes === undefined ? [] : [`Content-Length: ${bytes}`];
  return `${method} ${target} HTTP/1.1\r\n${[`Host: ${hostName(0)}`, "User-Agent: bench", ...length, ...lines].join("\r\n")}\r\n\r\n`;
}
