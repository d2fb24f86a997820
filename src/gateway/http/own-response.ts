// Responses that the gateway gives itself, in the forms that Knative's data path uses.

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  301: "Moved Permanently",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Request Entity Too Large",
  414: "Request URI Too Long",
  417: "Expectation Failed",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  505: "HTTP Version Not Supported",
  508: "Loop Detected",
};

/** Go's words for it. */
export const BODY_TOO_LARGE = "http: request body too large";

export interface OwnResponse {
  readonly status: number;
  /** Header lines, each with its CRLF. */
  readonly headers: string;
  readonly body: string;
}

/** Go's `http.Error`: plain text that no browser guesses about, with a newline. */
export function errorResponse(status: number, text: string): OwnResponse {
  return { status, headers: "Content-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n", body: `${text}\n` };
}

/** Text as Go's writer sends it when nothing was said about its type. */
export function textResponse(status: number, text: string): OwnResponse {
  return { status, headers: text === "" ? "" : "Content-Type: text/plain; charset=utf-8\r\n", body: text };
}

/** The whole response as latin1 text; `wallMs` dates it. */
export function renderResponse(
  response: OwnResponse,
  how: { readonly wallMs: number; readonly connection: "" | "close" | "keep-alive"; readonly isHead: boolean },
): string {
  const connection = how.connection === "" ? "" : `Connection: ${how.connection}\r\n`;
  const line = `HTTP/1.1 ${response.status} ${REASONS[response.status] ?? ""}\r\n`;
  const lengths = `Date: ${new Date(how.wallMs).toUTCString()}\r\nContent-Length: ${Buffer.byteLength(response.body, "latin1")}\r\n`;
  return `${line}${response.headers}${lengths}${connection}\r\n${how.isHead ? "" : response.body}`;
}
