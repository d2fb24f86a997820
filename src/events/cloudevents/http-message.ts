// What of an HTTP request or answer is an event.

/** Names in lower case; values with one character an octet. */
export type Headers = Readonly<Record<string, string | undefined>>;

export interface HttpMessage {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
