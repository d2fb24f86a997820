// Sending over real sockets: the way through the gateway, limits, time-outs by the clock.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { once } from "node:events";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import { HttpSender, type Outgoing } from "./send.ts";

const forever = new AbortController().signal;

async function served(t: TestContext, answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<number> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => answer(request, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

function senderWith(t: TestContext, port: number): { readonly sender: HttpSender; readonly clock: SimClock } {
  const clock = new SimClock();
  const sender = new HttpSender({ gateway: { host: "127.0.0.1", port }, localSuffix: "svc.cluster.local", clock, replyBytesMax: 100 });
  t.after(() => sender.close());
  return { sender, clock };
}

const outgoing = (url: string): Outgoing => ({ target: { url }, headers: { "ce-id": "1" }, body: Buffer.from("hi"), timeoutMs: 5_000 });

test("a name inside the cluster goes to the gateway with its Host, all others go directly", async (t) => {
  const seen: string[] = [];
  const answer =
    (who: string) =>
    ({ headers, url }: IncomingMessage, response: ServerResponse): void => {
      seen.push(`${who} ${headers.host ?? ""}${url ?? ""}`);
      response.end();
    };
  const gateway = await served(t, answer("gateway"));
  const other = await served(t, answer("other"));
  const { sender } = senderWith(t, gateway);
  await sender.send(outgoing("http://hello.default.svc.cluster.local/a?b=1"), forever);
  await sender.send(outgoing(`http://127.0.0.1:${other}/direct`), forever);
  assert.deepEqual(seen, ["gateway hello.default.svc.cluster.local/a?b=1", `other 127.0.0.1:${other}/direct`]);
});

test("a redirect is an answer and is not followed", async (t) => {
  const port = await served(t, (_, response) => void response.writeHead(302, { location: "/elsewhere" }).end());
  const { sender } = senderWith(t, port);
  const { result } = await sender.send(outgoing(`http://127.0.0.1:${port}/`), forever);
  assert.deepEqual(result, { is: "answer", status: 302 });
});

test("nobody there is a failure that says so", async (t) => {
  const { sender } = senderWith(t, 1);
  const { result } = await sender.send(outgoing("http://127.0.0.1:1/"), forever);
  assert.ok(result.is === "failure");
  assert.match(result.why, /ECONNREFUSED/);
});

test("no answer in time is a failure that says so", async (t) => {
  const came = Promise.withResolvers<void>();
  const port = await served(t, () => came.resolve());
  const { sender, clock } = senderWith(t, port);
  const sent = sender.send(outgoing(`http://127.0.0.1:${port}/`), forever);
  await came.promise;
  await clock.advance(5_000);
  assert.deepEqual((await sent).result, { is: "failure", why: "no answer within 5000 ms" });
});

test("a reply over the limit is a failure, what tells of an error is cut short", async (t) => {
  const port = await served(t, ({ url }, response) => void response.writeHead(url === "/big" ? 200 : 500, { "retry-after": "3" }).end("x".repeat(50_000)));
  const { sender } = senderWith(t, port);
  const big = await sender.send(outgoing(`http://127.0.0.1:${port}/big`), forever);
  assert.deepEqual(big.result, { is: "failure", why: "the answer has more than 100 bytes" });
  const failed = await sender.send(outgoing(`http://127.0.0.1:${port}/failed`), forever);
  assert.deepEqual(failed.result, { is: "answer", status: 500, retryAfter: "3" });
  assert.equal(failed.body.length, 4_096);
});

test("one connection serves one request after the other, and what comes in chunks is put together", async (t) => {
  const ports = new Set<number>();
  const port = await served(t, ({ socket }, response) => {
    ports.add(socket.remotePort ?? 0);
    response.setHeader("X-Twice", ["a", "b"]);
    response.write("one ");
    response.end("two");
  });
  const { sender } = senderWith(t, port);
  for (let round = 0; round < 3; round++) {
    const { result, headers, body } = await sender.send(outgoing(`http://127.0.0.1:${port}/`), forever);
    assert.deepEqual([result, headers["x-twice"], Buffer.from(body).toString()], [{ is: "answer", status: 200 }, "a, b", "one two"]);
  }
  assert.equal(ports.size, 1);
});

test("a kept connection that its server has closed is not used again", async (t) => {
  const closed: Promise<unknown>[] = [];
  const port = await served(t, ({ socket }, response) => {
    closed.push(once(socket, "close"));
    response.end(() => socket.end());
  });
  const { sender } = senderWith(t, port);
  for (let round = 0; round < 5; round++) {
    assert.equal((await sender.send(outgoing(`http://127.0.0.1:${port}/`), forever)).result.is, "answer");
    await closed.at(-1);
  }
  assert.equal(closed.length, 5);
});

test("at most 256 connections a destination: the others wait for their turn, and their time counts", async (t) => {
  let waiting: ServerResponse[] = [];
  const first = Promise.withResolvers<void>();
  const port = await served(t, (_, response) => {
    waiting.push(response);
    if (waiting.length === 256) first.resolve();
  });
  const { sender, clock } = senderWith(t, port);
  const sent = Array.from({ length: 300 }, () => sender.send(outgoing(`http://127.0.0.1:${port}/`), forever));
  await first.promise;
  const begun = waiting;
  waiting = [];
  assert.equal(begun.length, 256);
  for (const response of begun) response.end();
  const answered = await Promise.all(sent.slice(0, 256));
  assert.ok(answered.every(({ result }) => result.is === "answer"));
  await clock.advance(5_000);
  const late = await Promise.all(sent.slice(256));
  assert.deepEqual(new Set(late.map(({ result }) => (result.is === "failure" ? result.why : "answered"))), new Set(["no answer within 5000 ms"]));
});

test("what is given up ends at once, and so does what is under way when the sender closes", async (t) => {
  const came = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const port = await served(t, () => came.shift()?.resolve());
  const { sender } = senderWith(t, port);
  const [one, two] = came.map(({ promise }) => promise);
  const enough = new AbortController();
  const first = sender.send(outgoing(`http://127.0.0.1:${port}/`), enough.signal);
  await one;
  enough.abort();
  assert.deepEqual((await first).result, { is: "failure", why: "given up" });
  const second = sender.send(outgoing(`http://127.0.0.1:${port}/`), forever);
  await two;
  await sender.close();
  assert.deepEqual((await second).result, { is: "failure", why: "given up" });
});

test("a sender that is closed sends nothing: nobody would end that", async (t) => {
  const came = Promise.withResolvers<undefined>();
  const port = await served(t, () => came.resolve(undefined));
  const { sender } = senderWith(t, port);
  await sender.close();
  for (const scheme of ["http", "https"]) {
    const got = await Promise.race([came.promise, sender.send(outgoing(`${scheme}://127.0.0.1:${port}/`), forever)]);
    assert.deepEqual(got?.result, { is: "failure", why: "given up" });
  }
});

test("an attribute that would end its header, or begin another, is a failure and is not sent", async (t) => {
  const port = await served(t, (_, response) => void response.end());
  const { sender } = senderWith(t, port);
  const { result } = await sender.send({ ...outgoing(`http://127.0.0.1:${port}/`), headers: { "content-type": "a\r\nx: y" } }, forever);
  assert.deepEqual(result, { is: "failure", why: "the header content-type cannot be sent" });
});

test("what answers without HTTP is a failure", async (t) => {
  const server = createTcpServer((socket) => void socket.end("220 mail.example.com\r\n\r\n")).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { sender } = senderWith(t, 1);
  const { result } = await sender.send(outgoing(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), forever);
  assert.deepEqual(result, { is: "failure", why: "the answer is no HTTP" });
});
