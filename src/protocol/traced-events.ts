// What control is told of sampled events: what the spans of the events thread are made of.

/** A Broker or channel has taken a sampled event, or refused it; or one attempt to get it to a subscriber is over. Times are wall-clock milliseconds. */
export interface TracedEvent {
  readonly traceId: string;
  /** Of the producer's span, or of the one that took the event; "" when there is none. */
  readonly parentId: string;
  readonly spanId: string;
  readonly traceState: string;
  /** `broker:NAME.NAMESPACE`, `trigger:…` and so on. */
  readonly destination: string;
  /** Where the event was taken. */
  readonly at: { readonly kind: "Broker" | "Channel"; readonly namespace: string; readonly name: string };
  readonly startMs: number;
  readonly endMs: number;
  readonly event: { readonly id: string; readonly type: string; readonly source: string; readonly subject: string; readonly specVersion: string };
  /** 0: nobody answered. */
  readonly status: number;
  /** Of an attempt. */
  readonly sent?: { readonly url: string; readonly leg: "subscriber" | "deadLetter" | "replay"; readonly attempt: number };
}
