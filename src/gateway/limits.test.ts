// What a client may take of the gateway: octets, time, connections; each limit with its status and the end of the connection.
import assert from "node:assert/strict";
import { once } from "node:events";
import { BoundSocket, connect } from "node:net";
import { test } from "node:test";
import { SimClock } from "#core";
import type { ClientSettings } from "#protocol";
import {
  allWaiting,
  answering,
  backendEntry,
  hostEntry,
  ok,
  oneReadyPod,
  request,
  socketClock,
  startClient,
  startGateway,
  startPod,
  type TestGateway,
  type TestPod,
} from "./testing.ts";

function clients(gateway: TestGateway, over: Partial<ClientSettings>, trustedProxies: readonly string[] = ["0.0.0.0/0", "::/0"]): void {
  const settings: ClientSettings = { proxyProtocol: "off", bodyIdleMs: 0, connectionsMax: 100, ...over };
  gateway.gateway.receive({ type: "settings", settings: { trustedProxies, requestLog: undefined, clients: settings } });
}

/** A pod that says when octets have come, and answers nothing unless told to. */
async function startListening(): Promise<TestPod & { got: (fits: RegExp) => Promise<void>; reply: (text: string) => void; text: () => string }> {
  let text = "";
  let wake: (() => void) | undefined;
  const pod = await startPod((socket) =>
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      wake?.();
    }),
  );
  return Object.assign(pod, {
    text: () => text,
    got: async (fits: RegExp) => {
      while (!fits.test(text)) await new Promise<void>((resolve) => (wake = resolve));
    },
    reply: (answer: string) => {
      for (const socket of pod.sockets) socket.write(answer);
    },
  });
}

test("a thousand connections that come at once wait for a thread that is busy", async () => {
  // As the platform's threads listen: on a socket that somebody else has bound.
  const bound = new BoundSocket({ host: "127.0.0.1", port: 0 });
  await using gateway = await startGateway(socketClock, { fd: bound.fd() });
  const many = Array.from({ length: 1_000 }, () => connect(gateway.gateway.port, "127.0.0.1").on("error", () => undefined));
  await allWaiting(gateway.gateway.port, many.length);
  for (const client of many) client.destroy();
});

const CLOSED = /\r\nConnection: close\r\n/;

const heads: readonly { readonly name: string; readonly text: string; readonly want: number }[] = [
  { name: "a target of more than 32 kB", text: request(`/${"x".repeat(33_000)}`), want: 414 },
  { name: "a target without end", text: `GET /${"x".repeat(70_000)}`, want: 414 },
  { name: "a head of more than 64 kB", text: request("/", [`X: ${"x".repeat(70_000)}`]), want: 431 },
  {
    name: "more than 200 fields",
    text: request(
      "/",
      Array.from({ length: 200 }, () => "X: y"),
    ),
    want: 431,
  },
];
for (const { name, text, want } of heads) {
  test(`${name} gets ${want}`, async () => {
    await using gateway = await startGateway();
    using client = await startClient(gateway.gateway.port);
    client.send(text);
    const answer = await client.closed();
    assert.ok(answer.startsWith(`HTTP/1.1 ${want} `), answer);
    assert.match(answer, CLOSED);
  });
}

const bodies: readonly { readonly name: string; readonly parts: readonly string[]; readonly want: number }[] = [
  { name: "a length at the limit", parts: [request("/", ["Content-Length: 10"], "POST"), "0123456789"], want: 200 },
  { name: "a length above it", parts: [request("/", ["Content-Length: 11"], "POST")], want: 413 },
  { name: "chunks at the limit", parts: [request("/", ["Transfer-Encoding: chunked"], "POST"), "5\r\n01234\r\n", "5\r\n56789\r\n0\r\n\r\n"], want: 200 },
  { name: "a first chunk above it", parts: [`${request("/", ["Transfer-Encoding: chunked"], "POST")}b\r\n01234`], want: 413 },
  { name: "a later chunk above it", parts: [`${request("/", ["Transfer-Encoding: chunked"], "POST")}5\r\n01234\r\n`, "6\r\n"], want: 413 },
];
for (const { name, parts, want } of bodies) {
  test(`a host with at most ten octets a body: ${name} gets ${want}`, async () => {
    await using gateway = await startGateway();
    await using pod = await startListening();
    oneReadyPod(gateway, pod, { host: { bodyBytesMax: 10 } });
    using client = await startClient(gateway.gateway.port);
    for (const [index, part] of parts.entries()) {
      if (index > 0) await pod.got(/POST/);
      client.send(part);
    }
    if (want === 200) {
      await pod.got(/9(?:\r\n0\r\n\r\n)?$/);
      pod.reply(ok("fine"));
      await client.until((text) => text.endsWith("fine"));
    } else {
      const answer = await client.closed();
      assert.ok(answer.startsWith("HTTP/1.1 413 Request Entity Too Large\r\n"), answer);
      assert.match(answer, CLOSED);
      assert.ok(answer.endsWith("\r\n\r\nhttp: request body too large\n"));
    }
  });
}

const slow: readonly { readonly name: string; readonly sent: string; readonly afterMs: number; readonly want: RegExp }[] = [
  { name: "nothing at all: closed after five minutes", sent: "", afterMs: 301_000, want: /^$/ },
  { name: "half a head: 408 after a minute", sent: "GET / HT", afterMs: 62_000, want: /^HTTP\/1\.1 408 Request Timeout\r\n[^]*Connection: close/ },
];
for (const { name, sent, afterMs, want } of slow) {
  test(`a client that sends ${name}`, async () => {
    const clock = new SimClock();
    await using gateway = await startGateway(clock);
    using client = await startClient(gateway.gateway.port);
    // Another connection's answer shows that the gateway has read this one's octets.
    client.send(sent);
    using other = await startClient(gateway.gateway.port);
    other.send(request("/"));
    await other.until((text) => text.includes("404"));
    await clock.advance(afterMs);
    assert.match(await client.closed(), want);
  });
}

test("a head that comes octet by octet has a minute all the same", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  using client = await startClient(gateway.gateway.port);
  const answers: string[] = [];
  void client.closed().then((text) => answers.push(text));
  for (let second = 0; answers.length === 0; second += 5) {
    assert.ok(second < 130, "it is waited for");
    if (!client.socket.destroyed) client.send("X");
    await clock.advance(5_000);
  }
  assert.match(answers[0] ?? "", /^HTTP\/1\.1 408 /);
});

test("a client that stalls within a body gets 408 when there is a limit, and time again whenever it sends", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startListening();
  oneReadyPod(gateway, pod);
  clients(gateway, { bodyIdleMs: 10_000 });
  using client = await startClient(gateway.gateway.port);
  client.send(`${request("/", ["Content-Length: 9"], "POST")}a`);
  await pod.got(/a$/);
  await clock.advance(8_000);
  client.send("b");
  await pod.got(/ab$/);
  await clock.advance(8_000);
  assert.equal(client.text(), "");
  await clock.advance(4_000);
  const answer = await client.closed();
  assert.match(answer, /^HTTP\/1\.1 408 /);
  assert.match(answer, CLOSED);
});

test("without that limit a body has as long as the request", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startListening();
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(`${request("/", ["Content-Length: 9"], "POST")}a`);
  await pod.got(/a$/);
  await clock.advance(299_000);
  assert.equal(client.text(), "");
  await clock.advance(2_000);
  assert.match(await client.closed(), /^HTTP\/1\.1 504 /);
});

test("an application that does not answer an expectation does not keep the client waiting", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startListening();
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Expect: 100-continue", "Content-Length: 4"], "POST"));
  await pod.got(/Expect: 100-continue\r\n[^]*\r\n$/);
  await clock.advance(500);
  assert.equal(client.text(), "");
  await clock.advance(3_000);
  assert.equal(await client.until((text) => text !== ""), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  await pod.got(/body$/);
  pod.reply(ok("thanks"));
  await client.until((text) => text.endsWith("thanks"));
  client.send(request("/next"));
  await pod.got(/next/);
});

test("a held request's client is told to go on by the pod that comes, not before", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startListening();
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Expect: 100-continue", "Content-Length: 4"], "POST"));
  await gateway.message("wake");
  await clock.advance(20_000);
  assert.equal(client.text(), "");
  oneReadyPod(gateway, pod);
  await pod.got(/Expect: 100-continue/);
  pod.reply("HTTP/1.1 100 Continue\r\n\r\n");
  await client.until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
});

test("a final answer instead of a permission closes the connection: the body may or may not come", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Expect: 100-continue", "Content-Length: 4"], "POST"));
  assert.match(await client.closed(), /^HTTP\/1\.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno$/);
});

test("an expectation without a body, or of HTTP/1.0, is none", async () => {
  await using gateway = await startGateway();
  const seen: string[] = [];
  await using pod = await startPod(answering((head) => (seen.push(head), ok("x"))));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Expect: 100-continue"]));
  await client.until((text) => text.endsWith("x"));
  assert.doesNotMatch(seen.join(""), /Expect/);
});

test("one connection too many is told so and closed; a place that becomes free is given again", async () => {
  await using gateway = await startGateway();
  clients(gateway, { connectionsMax: 2 });
  using first = await startClient(gateway.gateway.port);
  using second = await startClient(gateway.gateway.port);
  for (const client of [first, second]) {
    client.send(request("/"));
    await client.until((text) => text.includes("404"));
  }
  using third = await startClient(gateway.gateway.port);
  assert.match(await third.closed(), /^HTTP\/1\.1 503 Service Unavailable\r\n[^]*Connection: close\r\n\r\n503 too many connections\n$/);
  first.send("nonsense\r\n\r\n");
  await first.closed();
  using fourth = await startClient(gateway.gateway.port);
  fourth.send(request("/"));
  await fourth.until((text) => text.includes("404"));
});

test("of connections that come at once, those beyond the limit are told so and closed", async () => {
  await using gateway = await startGateway();
  clients(gateway, { connectionsMax: 3 });
  const answers = Array.from({ length: 20 }, () => {
    const socket = connect(gateway.gateway.port, "127.0.0.1").on("error", () => undefined);
    socket.write(request("/"));
    return once(socket, "data").then(([answer]: unknown[]) => {
      socket.destroy();
      return String(answer).slice(9, 12);
    });
  });
  await allWaiting(gateway.gateway.port, answers.length);
  assert.deepEqual(await Promise.all(answers), [...Array<string>(3).fill("404"), ...Array<string>(17).fill("503")]);
});

test("a host with a limit of requests answers those beyond with 503 until one ends; other hosts do not feel it", async () => {
  await using gateway = await startGateway();
  await using pod = await startListening();
  oneReadyPod(gateway, pod, { host: { requestsMax: 1 } });
  gateway.routes({ hosts: [hostEntry({ host: "free.test" })] });
  using first = await startClient(gateway.gateway.port);
  using second = await startClient(gateway.gateway.port);
  using other = await startClient(gateway.gateway.port);
  first.send(request("/first"));
  await pod.got(/first/);
  second.send(request("/second"));
  const refusal = await second.until((text) => text.endsWith("503 too many requests for this host\n"));
  assert.match(refusal, /^HTTP\/1\.1 503 Service Unavailable\r\n/);
  other.send(request("/other").replace("app.test", "free.test"));
  await pod.got(/other/);
  pod.reply(ok("x"));
  await first.until((text) => text.endsWith("x"));
  second.send(request("/third"));
  await pod.got(/third/);
  // A client that leaves gives its place back, too.
  second.socket.destroy();
  await once(second.socket, "close");
  for (let tries = 0; !/fourth/.test(pod.text()); tries++) {
    assert.ok(tries < 1000, "the place is lost");
    first.send(request("/fourth"));
    const answers = first.text().length;
    await Promise.race([pod.got(/fourth/), first.until((text) => text.length > answers)]);
  }
});

test("a client that never reads its answer is given up when the request's time is over", async () => {
  const clock = new SimClock();
  await using gateway = await startGateway(clock);
  await using pod = await startPod((socket) =>
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 << 20}\r\n\r\n`);
      for (let sent = 0; sent < 64; sent++) socket.write(Buffer.alloc(1 << 20));
    }),
  );
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.socket.pause();
  client.send(request("/"));
  for (let turn = 0; turn < 3000; turn++) await new Promise((resolve) => setImmediate(resolve));
  const [socket] = pod.sockets;
  assert.ok(socket !== undefined && socket.writableLength > 0);
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await clock.advance(310_000);
  await closed;
  client.socket.resume();
  const text = await client.closed();
  assert.ok(text.length < 64 << 20);
});

test("a response that would end with the connection, and breaks off, does not look whole", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\npart")));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  const errors: unknown[] = [];
  client.socket.on("error", (error: NodeJS.ErrnoException) => errors.push(error.code));
  client.send(request("/"));
  await client.until((text) => text.endsWith("part"));
  for (const socket of pod.sockets) socket.resetAndDestroy();
  await client.closed();
  assert.deepEqual(errors, ["ECONNRESET"]);
});

test("a client of HTTP/1.0 gets the content of chunks alone, however they come, and the pod's connection stays", async () => {
  await using gateway = await startGateway();
  const seen: string[] = [];
  await using pod = await startPod((socket) => {
    socket.on("data", (bytes: Buffer) => {
      seen.push(bytes.toString("latin1"));
      const chunks = `5;a=b\r\nhello\r\n${"20000\r\n".concat("x".repeat(0x20000))}\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n`;
      const answer = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\nX: y\r\n\r\n${chunks}`;
      socket.write(answer.slice(0, 100));
      setImmediate(() => socket.write(answer.slice(100)));
    });
  });
  oneReadyPod(gateway, pod);
  for (const lines of ["", "Connection: keep-alive\r\n"]) {
    using client = await startClient(gateway.gateway.port);
    client.send(`GET / HTTP/1.0\r\nHost: app.test\r\n${lines}\r\n`);
    const text = await client.closed();
    assert.equal(text, `HTTP/1.1 200 OK\r\nX: y\r\nConnection: close\r\n\r\nhello${"x".repeat(0x20000)} world`);
  }
  assert.match(seen[0] ?? "", /^GET \/ HTTP\/1\.1\r\nHost: app\.test\r\n/);
  assert.equal(pod.connections, 1);
});

test("trailers go both ways, and each event of a stream leaves at once", async () => {
  await using gateway = await startGateway();
  await using pod = await startListening();
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(`${request("/", ["TE: trailers", "Trailer: X-Sum", "Transfer-Encoding: chunked"], "POST")}1\r\na\r\n0\r\nX-Sum: up\r\n\r\n`);
  await pod.got(/TE: trailers\r\n[^]*\r\n1\r\na\r\n0\r\nX-Sum: up\r\n\r\n$/);
  pod.reply("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
  await client.until((text) => text.includes("Trailer: X-Sum\r\n") && text.endsWith("\r\n\r\n"));
  for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
    pod.reply(`9\r\n${event}\r\n`);
    await client.until((text) => text.endsWith(`${event}\r\n`));
  }
  pod.reply("0\r\nX-Sum: down\r\n\r\n");
  await client.until((text) => text.endsWith("0\r\nX-Sum: down\r\n\r\n"));
});

test("requests behind one that waits for a pod are read ahead to a limit, and answered in their order", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering((head) => ok(`[${head.split(" ")[1] ?? ""}]`)));
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
  using client = await startClient(gateway.gateway.port);
  const many = Array.from({ length: 4000 }, (_, index) => `/${index}`);
  client.send(many.map((path) => request(path)).join(""));
  await gateway.message("wake");
  oneReadyPod(gateway, pod);
  const text = await client.until((received) => received.endsWith("[/3999]"));
  assert.deepEqual(
    text.match(/\[[^\]]*\]/g),
    many.map((path) => `[${path}]`),
  );
});

test("a body for a pod that is not there, and one for a pod that does not read, stay with the client", async () => {
  const size = 48 << 20;
  for (const there of [false, true]) {
    await using gateway = await startGateway();
    await using pod = await startPod((socket) => socket.pause());
    if (there) oneReadyPod(gateway, pod);
    else gateway.routes({ hosts: [hostEntry()], backends: [backendEntry()] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/", [`Content-Length: ${size}`], "POST"));
    for (let sent = 0; sent < size; sent += 1 << 20) client.socket.write(Buffer.alloc(1 << 20));
    const before = process.memoryUsage().arrayBuffers;
    for (let turn = 0; turn < 3000; turn++) await new Promise((resolve) => setImmediate(resolve));
    // What the gateway took is in the kernel's buffers or in its own; the rest waits here.
    assert.ok(client.socket.writableLength > size / 2, `the gateway took all but ${client.socket.writableLength} octets`);
    assert.ok(process.memoryUsage().arrayBuffers - before < 8 << 20);
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
  }
});
