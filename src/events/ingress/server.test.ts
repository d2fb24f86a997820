// The listener's answers, over a real socket and a log that takes or refuses as it is told.
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { LogError } from "#log";
import type { Intake } from "./take-events.ts";
import { decodeStored, type StoredEvent } from "../stored-event.ts";
import { Ingress } from "./server.ts";

const CHANNEL = "c-kn-channel.ns.svc.cluster.local";
const EVENT = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t" };

interface World {
  readonly stored: StoredEvent[];
  /** Where an event was taken, and its type. */
  readonly seen: string[];
  refuse: LogError | undefined;
  readonly port: number;
  readonly clock: SimClock;
  close(): Promise<void>;
  /** The log takes nothing before that; resolves once an event waits for it. */
  holds(until: Promise<void>): Promise<void>;
  ask(
    method: string,
    path: string,
    message?: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string },
  ): Promise<{ readonly status: number; readonly headers: NodeJS.Dict<string | string[]> }>;
}

async function world(t: TestContext, bodyBytesMax = 1_000): Promise<World> {
  const stored: StoredEvent[] = [];
  const seen: string[] = [];
  const take = ({ value }: { readonly value: Uint8Array }): number => stored.push(decodeStored(value));
  const made: { refuse: LogError | undefined } = { refuse: undefined };
  let held: { readonly until: Promise<void>; readonly began: () => void } | undefined;
  const clock = new SimClock();
  const stream = {
    append: async (record: { readonly value: Uint8Array }) => {
      held?.began();
      await held?.until;
      if (made.refuse !== undefined) throw made.refuse;
      return take(record);
    },
    appendAll: async (records: readonly { readonly value: Uint8Array }[]) => records.map(take),
  } as unknown as Intake["stream"];
  const ingress = new Ingress({
    intakeAt: (place) =>
      ("host" in place ? place.host === CHANNEL : place.namespace === "ns" && place.name === "b") ? { stream, hops: place.kind === "Broker" } : undefined,
    bodyBytesMax,
    saw: (place, attributes) => void seen.push(`${"host" in place ? place.host : `${place.namespace}/${place.name}`} ${String(attributes.get("type"))}`),
    clock,
    logger: silentLogger,
  });
  const port = await ingress.listen(0);
  t.after(() => ingress.close());
  return Object.assign(made, {
    stored,
    seen,
    port,
    clock,
    close: () => ingress.close(),
    holds: (until: Promise<void>) => new Promise<void>((began) => (held = { until, began })),
    ask: (method: string, path: string, { headers = {}, body = "" }: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {}) =>
      new Promise<{ status: number; headers: NodeJS.Dict<string | string[]> }>((resolve, reject) => {
        const call = request({ host: "127.0.0.1", port, method, path, headers, agent: false }, (response) => {
          response.resume();
          response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers }));
        });
        call.on("error", reject);
        call.end(body);
      }),
  });
}

test("an event is stored with its arrival, its hops and the trace of its request, and answered with 202", async (t) => {
  const { ask, stored } = await world(t);
  const headers = { ...EVENT, traceparent: "00-1-2-01", "x-request-id": "7", cookie: "secret=1", "content-type": "text/plain" };
  const { status, headers: said } = await ask("POST", "/ns/b", { headers, body: "hi" });
  assert.deepEqual([status, said["allow"]], [202, "POST, OPTIONS"]);
  const [event] = stored;
  assert.deepEqual(event?.headers, { "x-request-id": "7" });
  assert.equal(event?.attributes.get("traceparent"), "00-1-2-01");
  assert.equal(event?.attributes.get("knativebrokerttl"), 255);
  assert.match(String(event?.attributes.get("knativearrivaltime")), /Z$/);
  assert.equal(Buffer.from(event?.data?.octets ?? []).toString(), "hi");
});

test("a channel stores an event as it is: without arrival and hops", async (t) => {
  const { ask, stored } = await world(t);
  const headers = { ...EVENT, host: CHANNEL, "ce-knativebrokerttl": "1" };
  assert.equal((await ask("POST", "/", { headers })).status, 202);
  const attributes = Object.fromEntries(stored[0]?.attributes ?? []);
  assert.deepEqual(attributes, { specversion: "1.0", id: "1", source: "/x", type: "t", knativebrokerttl: "1" });
  assert.equal((await ask("POST", "/", { headers: { ...EVENT, host: "other-kn-channel.ns.svc.cluster.local" } })).status, 404);
});

test("a batch is taken whole", async (t) => {
  const { ask, stored, seen } = await world(t);
  const one = (id: string): object => ({ specversion: "1.0", id, source: "/x", type: "t" });
  const headers = { "content-type": "application/cloudevents-batch+json" };
  assert.equal((await ask("POST", "/ns/b", { headers, body: JSON.stringify([one("1"), one("2")]) })).status, 202);
  assert.deepEqual(
    stored.map(({ attributes }) => attributes.get("id")),
    ["1", "2"],
  );
  assert.deepEqual(seen, ["ns/b t", "ns/b t"]);
});

const ANSWERS: readonly {
  readonly name: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly want: number;
}[] = [
  { name: "what is no event", headers: { "content-type": "application/json" }, body: "{}", want: 400 },
  { name: "an event without an id", headers: { ...EVENT, "ce-id": "" }, want: 400 },
  { name: "structured JSON that is none", headers: { "content-type": "application/cloudevents+json" }, body: "{", want: 400 },
  { name: "no such Broker", path: "/ns/other", headers: EVENT, want: 404 },
  { name: "no event for no such Broker: the event is looked at first", path: "/ns/other", want: 400 },
  { name: "no hop left", headers: { ...EVENT, "ce-knativebrokerttl": "1" }, want: 400 },
  { name: "more than the limit", headers: EVENT, body: "x".repeat(1_001), want: 413 },
  { name: "more than the limit, of a length that nobody said", headers: { ...EVENT, "transfer-encoding": "chunked" }, body: "x".repeat(1_001), want: 413 },
];
for (const { name, path = "/ns/b", headers = {}, body = "", want } of ANSWERS) {
  test(`answered with ${want}: ${name}`, async (t) => {
    const { ask, stored, seen } = await world(t);
    assert.equal((await ask("POST", path, { headers, body })).status, want);
    assert.deepEqual([stored, seen], [[], []]);
  });
}

for (const [reason, want] of [
  ["overloaded", 429],
  ["limit", 503],
  ["diskFull", 503],
  ["blocked", 503],
  ["closed", 503],
  ["tooLarge", 413],
] as const) {
  test(`what the log refuses as ${reason} is answered with ${want}`, async (t) => {
    const made = await world(t);
    made.refuse = new LogError(reason, "no");
    assert.equal((await made.ask("POST", "/ns/b", { headers: EVENT })).status, want);
  });
}

/** A client that writes octets as it is told, and what came back so far. */
async function rawClient(
  t: TestContext,
  port: number,
): Promise<{ readonly socket: Socket; until(isThere: (text: string) => boolean): Promise<string>; readonly ended: Promise<unknown> }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  await once(socket, "connect");
  t.after(() => socket.destroy());
  let text = "";
  let look = (): void => undefined;
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
    look();
  });
  const until = (isThere: (text: string) => boolean): Promise<string> =>
    new Promise((resolve) => {
      look = () => isThere(text) && resolve(text);
      look();
    });
  return { socket, until, ended: once(socket, "end") };
}

const FIELDS = Object.entries(EVENT).map(([name, value]) => `${name}: ${value}\r\n`);
const post = (body: string, more = `Content-Length: ${body.length}\r\n`): string => `POST /ns/b HTTP/1.1\r\nHost: b\r\n${FIELDS.join("")}${more}\r\n${body}`;
const taken = (text: string): number => text.split("HTTP/1.1 202 Accepted\r\n").length - 1;

test("requests of one connection are answered one after the other, however they come in pieces", async (t) => {
  const { port, stored } = await world(t);
  const { socket, until } = await rawClient(t, port);
  const octets = post("one") + post("two") + post("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n");
  for (let at = 0; at < octets.length; at += 7) {
    socket.write(octets.slice(at, at + 7));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await until((text) => taken(text) === 3);
  assert.deepEqual(
    stored.map(({ data }) => Buffer.from(data?.octets ?? []).toString()),
    ["one", "two", "abcde"],
  );
});

test("who waits for the permission to send a body gets it, and none for a body that is too long", async (t) => {
  const { port } = await world(t);
  const { socket, until } = await rawClient(t, port);
  socket.write(post("", "Expect: 100-continue\r\nContent-Length: 2\r\n"));
  await until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
  socket.write("hi");
  await until((text) => taken(text) === 1);
  const other = await rawClient(t, port);
  other.socket.write(post("", "Expect: 100-continue\r\nContent-Length: 1001\r\n"));
  assert.match(await other.until((text) => text.endsWith("\r\n\r\n")), /^HTTP\/1.1 413 [^]*connection: close\r\n/);
  await other.ended;
});

test("what is no HTTP is refused, and the connection ends", async (t) => {
  const { port } = await world(t);
  const { socket, until, ended } = await rawClient(t, port);
  socket.write("HELO there\r\n\r\n");
  assert.match(await until((text) => text.endsWith("\r\n\r\n")), /^HTTP\/1.1 400 /);
  await ended;
});

test("a head, and a request, must be whole in time", async (t) => {
  const { port, clock } = await world(t);
  for (const [begun, ms] of [
    ["POST /ns/b HT", 10_000],
    [post("", "Content-Length: 10\r\n"), 300_000],
  ] as const) {
    const { socket, until, ended } = await rawClient(t, port);
    const arrived = clock.waiting;
    socket.write(begun);
    while (clock.waiting === arrived) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(ms + 25);
    assert.match(await until((text) => text.endsWith("\r\n\r\n")), /^HTTP\/1.1 408 /);
    await ended;
    socket.destroy();
    await clock.advance(20_000);
  }
});

test("a client that has said all it has to say still gets its answer", async (t) => {
  const { port } = await world(t);
  const { socket, until, ended } = await rawClient(t, port);
  socket.end(post("last"));
  await until((text) => taken(text) === 1);
  await ended;
});

test("closing answers what is under way and ends what is idle", async (t) => {
  const made = await world(t);
  const idle = await rawClient(t, made.port);
  const busy = await rawClient(t, made.port);
  const hold = Promise.withResolvers<void>();
  const began = made.holds(hold.promise);
  busy.socket.write(post("slow"));
  await began;
  const closed = made.close();
  await idle.ended;
  hold.resolve();
  assert.match(await busy.until((text) => taken(text) === 1), /connection: close/);
  busy.socket.destroy();
  await closed;
});

test("a body of unknown length takes the room that it needs, and is refused where there is none", async (t) => {
  const all = 256 << 20;
  const { port } = await world(t, all);
  const begins = async (more: string): Promise<Awaited<ReturnType<typeof rawClient>>> => {
    const client = await rawClient(t, port);
    client.socket.write(post("", `Expect: 100-continue\r\n${more}`));
    await client.until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
    return client;
  };
  const chunked = "Transfer-Encoding: chunked\r\n";
  const [one, two] = [await begins(chunked), await begins(chunked)];
  for (const { socket, until } of [two, one]) {
    socket.write(`1000\r\n${"x".repeat(4_096)}\r\n0\r\n\r\n`);
    await until((text) => taken(text) === 1);
  }
  const large = await begins(`Content-Length: ${all - 2_048}\r\n`);
  const third = await begins(chunked);
  third.socket.write(`1000\r\n${"x".repeat(4_096)}\r\n`);
  assert.match(await third.until((text) => text.includes(" 429 ")), /HTTP\/1.1 429 /);
  await third.ended;
  large.socket.destroy();
});
