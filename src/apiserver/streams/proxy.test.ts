// Requests passed on, through the server and to an HTTP server in memory: paths, headers, bodies as they come, redirects, other protocols, failures.
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { duplexPair, type Duplex } from "node:stream";
import { test } from "node:test";
import { fixture, KINDS } from "../fixture.test-suite.ts";
import { passOn, type ApiRequest, type ApiResponse, type ServedKind } from "../index.ts";

const BASE = "/api/v1/namespaces/default/configmaps";

async function world(listener: RequestListener, upgraded?: (request: IncomingMessage, socket: Duplex) => void) {
  const backend = createServer(listener);
  if (upgraded !== undefined) backend.on("upgrade", upgraded);
  const targets: unknown[] = [];
  const connect = (refused: boolean) => async (): Promise<Duplex> => {
    if (refused) throw new Error("dial tcp 127.0.0.1:9: connect: connection refused");
    const [ours, theirs] = duplexPair();
    backend.emit("connection", theirs);
    return ours;
  };
  const kinds = KINDS.map((served): ServedKind => {
    if (served.kind.plural !== "configmaps") return served;
    const proxy: NonNullable<ServedKind["subresources"]>[string] = {
      verbs: ["get", "create", "update", "delete", "patch"],
      passesOn: true,
      async handle({ proxy: passed, http, signal, name }) {
        assert.ok(passed !== undefined);
        targets.push([name, passed.target]);
        return passOn(http, { ...passed, signal, connect: connect(passed.target.port === "9") });
      },
    };
    return { ...served, subresources: { proxy } };
  });
  const { server } = await fixture({ kinds });
  const send = (method: string, target: string, rest: Partial<ApiRequest> = {}): Promise<ApiResponse> =>
    server.handle({ method, target, ...rest, headers: { authorization: "Bearer good", host: "api:6443", ...rest.headers } });
  await send("POST", BASE, { body: JSON.stringify({ metadata: { name: "m" } }) });
  return { send, targets };
}

async function textOf({ body }: ApiResponse): Promise<string> {
  if (typeof body === "string" || body instanceof Uint8Array) return Buffer.from(body).toString();
  let text = "";
  for await (const piece of body) text += piece.toString();
  return text;
}

/** Tells what it got. */
const mirror: RequestListener = (request, response) => {
  let body = "";
  request.on("data", (chunk: Buffer) => (body += chunk.toString()));
  request.on("end", () => {
    response.writeHead(202, { "x-seen": "yes", connection: "close", "keep-alive": "timeout=5" });
    response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers, body }));
  });
};

const paths = [
  { url: `${BASE}/m/proxy/`, seen: "/", target: ["m", { scheme: "http", name: "m", port: "" }] },
  { url: `${BASE}/m:80/proxy/a/b?x=1&y=%20`, seen: "/a/b?x=1&y=%20", target: ["m:80", { scheme: "http", name: "m", port: "80" }] },
  { url: `${BASE}/http:m:web/proxy//twice/%2F/`, seen: "//twice/%2F/", target: ["http:m:web", { scheme: "http", name: "m", port: "web" }] },
];
for (const { url, seen, target } of paths) {
  test(`${url} asks for ${seen}`, async () => {
    const { send, targets } = await world(mirror);
    const answer = await send("GET", url);
    assert.equal(answer.status, 202);
    assert.equal((JSON.parse(await textOf(answer)) as { url: string }).url, seen);
    assert.deepEqual(targets, [target]);
  });
}

test("headers: what is for the API server and for one connection stays behind, in both directions", async () => {
  const { send } = await world(mirror);
  const headers = { "x-mine": "1", te: "trailers", connection: "keep-alive, x-hop", "x-hop": "2", cookie: "a=b" };
  const answer = await send("POST", `${BASE}/m/proxy/x?q`, { headers, body: "hello" });
  const got = JSON.parse(await textOf(answer)) as { headers: Record<string, string>; method: string; body: string };
  assert.deepEqual([got.method, got.body], ["POST", "hello"]);
  const { authorization, te, "x-hop": hop, "x-mine": mine, cookie, host } = got.headers;
  assert.deepEqual([authorization, te, hop, mine, cookie, host], [undefined, undefined, undefined, "1", "a=b", "api:6443"]);
  assert.equal(got.headers["x-forwarded-uri"], `${BASE}/m/proxy/x`);
  assert.deepEqual([answer.headers["x-seen"], answer.headers["connection"], answer.headers["keep-alive"]], ["yes", undefined, undefined]);
});

test("bodies go both ways as they come", async () => {
  const { send } = await world((request, response) => {
    response.writeHead(200);
    request.on("data", (chunk: Buffer) => response.write(`<${chunk.toString()}>`));
    request.on("end", () => response.end());
  });
  const heard: ((text: string) => void)[] = [];
  const said = (): Promise<string> => new Promise((resolve) => heard.push(resolve));
  async function* upload(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("one");
    // The second piece answers the first one's echo.
    yield Buffer.from(`after ${await said()}`);
  }
  const answer = await send("POST", `${BASE}/m/proxy/`, { upload: upload() });
  let text = "";
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    text += Buffer.from(piece).toString();
    heard.shift()?.(text);
  }
  assert.equal(text, "<one><after <one>>");
});

test("redirects: to the path with a slash, and of the server behind to itself", async () => {
  const { send } = await world((request, response) => {
    response.writeHead(302, { location: request.url === "/away" ? "https://elsewhere/" : "/login" });
    response.end();
  });
  assert.deepEqual((await send("GET", `${BASE}/m/proxy?x=1`)).headers["location"], `${BASE}/m/proxy/?x=1`);
  assert.equal((await send("GET", `${BASE}/m/proxy/here`)).headers["location"], `${BASE}/m/proxy/login`);
  assert.equal((await send("GET", `${BASE}/m/proxy/away`)).headers["location"], "https://elsewhere/");
});

test("another protocol is taken over, both ways", async () => {
  const { send } = await world(mirror, (request, socket) => {
    socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\nSec-WebSocket-Accept: x\r\n\r\nfirst`);
    socket.pipe(socket);
  });
  const answer = await send("GET", `${BASE}/m/proxy/ws`, { headers: { connection: "Upgrade", upgrade: "websocket" } });
  assert.deepEqual([answer.status, answer.headers["upgrade"], answer.headers["sec-websocket-accept"]], [101, "websocket", "x"]);
  const [ours, theirs] = duplexPair();
  const over = answer.takeOver?.(ours);
  theirs.end(" second");
  let text = "";
  for await (const chunk of theirs) text += String(chunk);
  assert.equal(text, "first second");
  await over;
});

test("failures: nobody there, a server that breaks off, a name that is none, an object that is not there", async () => {
  const { send } = await world((request) => request.socket.destroy());
  const told = async (url: string): Promise<readonly [number, string]> => {
    const answer = await send("GET", url);
    return [answer.status, (JSON.parse(await textOf(answer)) as { message: string }).message];
  };
  assert.deepEqual(await told(`${BASE}/m:9/proxy/`), [503, "error trying to reach service: dial tcp 127.0.0.1:9: connect: connection refused"]);
  const [status, message] = await told(`${BASE}/m/proxy/`);
  assert.equal(status, 503);
  assert.match(message, /^error trying to reach service: /);
  assert.deepEqual(await told(`${BASE}/a:b:c:d/proxy/`), [400, 'invalid configmap request "a:b:c:d"']);
  assert.deepEqual(await told(`${BASE}/ftp:m:1/proxy/`), [400, 'invalid configmap request "ftp:m:1"']);
  assert.equal((await told(`${BASE}/nobody/proxy/`))[0], 404);
});

test("a client that goes away ends the request behind", async () => {
  const gone = Promise.withResolvers<void>();
  const { send } = await world((request, response) => {
    response.writeHead(200);
    response.write("begun");
    request.socket.once("close", () => gone.resolve());
  });
  const stop = new AbortController();
  const answer = await send("GET", `${BASE}/m/proxy/`, { signal: stop.signal });
  const pieces = (answer.body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  await pieces.next();
  stop.abort();
  await assert.rejects(pieces.next());
  await gone.promise;
});
