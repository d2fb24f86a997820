// The HTTPS side over loopback: both protocol versions, client certificates, streams, and the end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type ClientHttp2Session } from "node:http2";
import { Agent, request } from "node:https";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { admin, ask, fixture } from "./fixture.test-suite.ts";
import type { Peer } from "./index.ts";
import { identities } from "./identities.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
interface Http2Answer {
  readonly status: unknown;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

async function http2(session: ClientHttp2Session, headers: Record<string, string>, body = ""): Promise<Http2Answer> {
  const stream = session.request({ authorization: "Bearer good", ...headers }, { endStream: body === "" });
  if (body !== "") stream.end(body);
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return { status: head[":status"], headers: head, body: Buffer.concat(chunks) };
}

function http1(port: number, ca: string, options: object, sentBody = ""): Promise<{ status: number | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, ca, agent: false, ...options }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => (body += text));
      response.on("end", () => resolve({ status: response.statusCode, body }));
    });
    sent.on("error", reject).end(sentBody);
  });
}

test("HTTP/1.1 and HTTP/2, tokens and client certificates, gzip for what is large", async () => {
  const peers: (Peer | undefined)[] = [];
  const { tls, ca, client } = await identities();
  const { server, clock } = await fixture({
    authenticate: ({ headers, peer }) => {
      peers.push(peer);
      return headers["authorization"] === "Bearer good" || peer !== undefined ? admin : undefined;
    },
  });
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  const { port } = listening;
  await ask(server, `POST ${MAPS}`, { metadata: { name: "large" }, data: { text: "x".repeat(200_000) } });
  assert.equal((await http1(port, ca, { path: `${MAPS}/large` })).status, 401);
  assert.equal((await http1(port, ca, { path: `${MAPS}/large`, ...client })).status, 200);
  assert.deepEqual(peers.at(-1), { commonName: "ada", organizations: ["system:masters"] });
  const session = connect(`https://127.0.0.1:${port}`, { ca });
  const posted = await http2(session, { ":method": "POST", ":path": MAPS, "content-type": "application/json" }, JSON.stringify({ metadata: { name: "two" } }));
  assert.equal(posted.status, 201);
  const large = await http2(session, { ":path": `${MAPS}/large`, "accept-encoding": "gzip" });
  assert.equal(large.headers["content-encoding"], "gzip");
  assert.equal((JSON.parse(gunzipSync(large.body).toString()) as { data: { text: string } }).data.text.length, 200_000);
  const tooLarge = await http2(session, { ":method": "POST", ":path": MAPS }, "x".repeat((3 << 20) + 1));
  assert.equal(tooLarge.status, 413);
  const alsoTooLarge = await http1(port, ca, { path: MAPS, method: "POST", headers: { authorization: "Bearer good" } }, "x".repeat((3 << 20) + 1));
  assert.equal(alsoTooLarge.status, 413);
  session.close();
  const closed = listening.close();
  await clock.advance(1_000);
  await closed;
});

test("the end waits for no idle HTTP/1.1 connection", async () => {
  const { tls, ca } = await identities();
  const { server, clock } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  const agent = new Agent({ keepAlive: true });
  await http1(listening.port, ca, { path: "/version", agent });
  // The clock stands still: a wait for the grace would never end.
  await listening.close();
  assert.equal(clock.waiting, 0);
  agent.destroy();
});

test("a watch sends its head at once, then events, and ends with the server", async () => {
  const { tls, ca } = await identities();
  const { server, store, clock } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  const session = connect(`https://127.0.0.1:${listening.port}`, { ca });
  const stream = session.request({ ":path": `${MAPS}?watch=true&resourceVersion=${store.revision}`, authorization: "Bearer good" });
  const [head] = (await once(stream, "response")) as [Record<string, unknown>];
  assert.equal(head[":status"], 200);
  const created = await ask(server, `POST ${MAPS}`, { metadata: { name: "a" } });
  const [line] = (await once(stream, "data")) as [Buffer];
  assert.deepEqual(JSON.parse(line.toString()), { type: "ADDED", object: created.json });
  const ended = once(stream, "end");
  const closed = listening.close();
  await ended;
  session.close();
  await clock.advance(1_000);
  await closed;
  assert.equal(clock.waiting, 0);
});

test("a watcher that does not read is dropped, and what waits for it is bounded", async () => {
  const { tls, ca } = await identities();
  const { server, clock, store } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  const session = connect(`https://127.0.0.1:${listening.port}`, { ca });
  const stream = session.request({ ":path": `${MAPS}?watch=true&resourceVersion=${store.revision}`, authorization: "Bearer good" });
  await once(stream, "response");
  stream.pause();
  const large = { metadata: { name: "large" }, data: { text: "x".repeat(500_000) } };
  await ask(server, `POST ${MAPS}`, large);
  // More than the sockets, the stream's window and the queue hold together.
  for (let at = 0; at < 50; at++) await ask(server, `PUT ${MAPS}/large`, { ...large, data: { ...large.data, at: String(at) } });
  assert.equal(clock.waiting, 2, "the end of the watch, and the client's patience");
  const closed = once(stream, "close").catch((error: unknown) => error);
  await clock.advance(60_000);
  stream.resume();
  stream.on("error", () => {});
  await closed;
  assert.ok(stream.destroyed);
  for (let turn = 0; clock.waiting > 0 && turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.waiting, 0);
  session.destroy();
  const ending = listening.close();
  await clock.advance(1_000);
  await ending;
});

test("a client that does not read a large answer is cut off", async () => {
  const { tls, ca } = await identities();
  const { server, clock } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  await ask(server, `POST ${MAPS}`, { metadata: { name: "large" }, data: { text: "x".repeat(2_000_000) } });
  const session = connect(`https://127.0.0.1:${listening.port}`, { ca });
  const stream = session.request({ ":path": `${MAPS}/large`, authorization: "Bearer good" });
  await once(stream, "response");
  stream.pause();
  for (let turn = 0; clock.waiting === 0 && turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.waiting, 1, "the client's patience");
  const closed = once(stream, "close").catch((error: unknown) => error);
  stream.on("error", () => {});
  await clock.advance(60_000);
  stream.resume();
  await closed;
  assert.equal(clock.waiting, 0);
  session.destroy();
  const ending = listening.close();
  await clock.advance(1_000);
  await ending;
});

test("a long list is compressed as it is read", async () => {
  const { tls, ca } = await identities();
  const { server, clock } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  for (let at = 0; at < 8; at++) await ask(server, `POST ${MAPS}`, { metadata: { name: `m${at}` }, data: { text: "x".repeat(100_000) } });
  const session = connect(`https://127.0.0.1:${listening.port}`, { ca });
  const list = await http2(session, { ":path": MAPS, "accept-encoding": "gzip" });
  assert.equal(list.headers["content-encoding"], "gzip");
  assert.equal((JSON.parse(gunzipSync(list.body).toString()) as { items: unknown[] }).items.length, 8);
  session.close();
  const closed = listening.close();
  await clock.advance(1_000);
  await closed;
});

test("a client that goes away ends its watch", async () => {
  const { tls, ca } = await identities();
  const { server, clock } = await fixture();
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls });
  const session = connect(`https://127.0.0.1:${listening.port}`, { ca });
  const stream = session.request({ ":path": `${MAPS}?watch=true`, authorization: "Bearer good" });
  await once(stream, "response");
  assert.equal(clock.waiting, 1);
  stream.close();
  await once(stream, "close");
  session.destroy();
  for (let turn = 0; clock.waiting > 0 && turn < 1_000; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(clock.waiting, 0);
  const closed = listening.close();
  await clock.advance(1_000);
  await closed;
});
