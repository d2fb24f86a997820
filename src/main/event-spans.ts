// The spans of a traced event, under the names and attributes that Knative's ingress, filter and channel dispatcher give theirs. Pure.
import type { TracedEvent } from "#protocol";
import type { Attributes, Span } from "#telemetry";

/** One for what was taken, one for each attempt; the latter stands for Knative's `send URL` and its HTTP client's span, too. */
export function spansOfEvent(traced: TracedEvent): Span[] {
  const { traceId, traceState, spanId, parentId, destination, startMs, endMs, status, sent } = traced;
  const failed = sent === undefined ? status >= 500 : status === 0 || status >= 400;
  return [
    {
      traceId,
      traceState,
      spanId,
      parentId,
      name: destination,
      kind: sent === undefined ? "server" : "client",
      startMs,
      endMs,
      attributes: { ...attributesOf(traced), ...(failed ? { "error.type": status === 0 ? "no_answer" : String(status) } : {}) },
      failed,
    },
  ];
}

function attributesOf({ destination, at, event, status, sent }: TracedEvent): Attributes {
  const is = at.kind === "Broker" ? "broker" : "channel";
  return {
    "messaging.system": "knative",
    "messaging.operation.name": "send",
    "messaging.destination.name": destination,
    [`kn.${is}.name`]: at.name,
    [`kn.${is}.namespace`]: at.namespace,
    "cloudevents.event_id": octets(event.id),
    "cloudevents.type": octets(event.type),
    "cloudevents.source": octets(event.source),
    "cloudevents.subject": octets(event.subject),
    "cloudevents.specversion": octets(event.specVersion),
    ...(status > 0 ? { "http.response.status_code": status } : {}),
    ...(sent === undefined ? { "url.scheme": "http" } : sentAttributes(sent)),
  };
}

function sentAttributes({ url, leg, attempt }: NonNullable<TracedEvent["sent"]>): Attributes {
  const to = URL.parse(url);
  return {
    ...(to === null ? {} : addressOf(to)),
    ...(attempt > 1 ? { "http.request.resend_count": attempt - 1 } : {}),
    ...(leg === "deadLetter" ? { "eider.leg": leg } : {}),
  };
}

/** Without what it may say of who asks. */
function addressOf(url: URL): Attributes {
  url.username = "";
  url.password = "";
  return {
    "url.full": url.href,
    "url.scheme": url.protocol.slice(0, -1),
    "server.address": url.hostname,
    ...(url.port === "" ? {} : { "server.port": Number(url.port) }),
  };
}

/** The wire form takes texts as their octets. */
function octets(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
