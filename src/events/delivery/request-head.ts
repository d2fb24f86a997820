// The head of a request that brings an event. Pure.

/** Where requests to a URL go, and what they say of it. */
export interface Route {
  readonly host: string;
  readonly port: number;
  /** Request line and Host, each with its CRLF. */
  readonly lines: string;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const HTTP_PORT = 80;

/** `via` is where names are resolved that nobody else knows; undefined: the URL's own host. */
export function routeOf(url: URL, via: { readonly host: string; readonly port: number } | undefined): Route {
  const own = { host: url.hostname.startsWith("[") ? url.hostname.slice(1, -1) : url.hostname, port: url.port === "" ? HTTP_PORT : Number(url.port) };
  return { ...(via ?? own), lines: `POST ${url.pathname}${url.search} HTTP/1.1\r\nhost: ${url.host}\r\n` };
}

/** The whole head as latin1 text; `fault` names a header that cannot be sent: attributes of JSON events may hold anything. */
export function requestHead(
  { lines }: Route,
  headers: Readonly<Record<string, string>>,
  bytes: number,
): { readonly text: string } | { readonly fault: string } {
  let text = lines;
  for (const name in headers) {
    const value = headers[name] ?? "";
    if (!TOKEN.test(name) || !VALUE.test(value)) return { fault: `the header ${name} cannot be sent` };
    text += `${name}: ${value}\r\n`;
  }
  return { text: `${text}content-length: ${bytes}\r\n\r\n` };
}
