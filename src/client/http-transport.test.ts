// The HTTP transport against a small server that speaks the wire form of the API.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isReason, silentLogger, SimClock, StatusError, statusOf, type Clock } from "#core";
import { createClient } from "./client.ts";
import { APPLY, clientContract } from "./contract.test-suite.ts";
import { FakeApi } from "./fake-api.ts";
import { ConfigMaps } from "./fake-kind.test-suite.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { ApiCall } from "./port.ts";

const VERBS: Readonly<Record<string, ApiCall["verb"]>> = { POST: "create", PUT: "update", PATCH: "patch", DELETE: "delete" };

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}

/** Serves a FakeApi over HTTP. */
async function serve(api: FakeApi, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? "/", "http://server");
  const [, , , , namespace = "", , name] = url.pathname.split("/");
  const query = Object.fromEntries(url.searchParams);
  if (query.watch === "true") {
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.writeHead(200).flushHeaders();
    for await (const event of api.watch({ kind: ConfigMaps, namespace, query }, gone.signal)) response.write(`${JSON.stringify(event)}\n`);
    return;
  }
  const verb = VERBS[request.method ?? ""] ?? (name === undefined ? "list" : "get");
  const body = await bodyOf(request);
  const contentType = request.headers["content-type"];
  try {
    const answer = await api.send({
      verb,
      kind: ConfigMaps,
      namespace,
      query,
      ...(name === undefined ? {} : { name }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(body === undefined ? {} : { body }),
    });
    response.end(JSON.stringify(answer));
  } catch (error) {
    assert.ok(error instanceof StatusError);
    response.writeHead(error.code).end(JSON.stringify(statusOf(error)));
  }
}

async function listen(handler: (request: IncomingMessage, response: ServerResponse) => void): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(handler);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
}

const transportTo = (url: string, clock: Clock = new SimClock()) =>
  createHttpTransport({ server: url, token: "secret", clock, logger: silentLogger, userAgent: "eider-test" });

clientContract(
  "HTTP transport",
  async () => {
    const api = new FakeApi(new SimClock());
    const { server, url } = await listen((request, response) => void serve(api, request, response));
    const transport = transportTo(url);
    return {
      transport,
      kind: ConfigMaps,
      namespace: "default",
      async close() {
        transport.close();
        await close(server);
      },
    };
  },
  { [APPLY]: "the fake knows merge patches only" },
);

test("HTTP transport: Retry-After is obeyed a few times, then the error is thrown", async () => {
  let asked = 0;
  const { server, url } = await listen((_request, response) => {
    asked++;
    response.writeHead(429, { "retry-after": "1" }).end("{}");
  });
  const waits: number[] = [];
  const sim = new SimClock();
  const clock: Clock = { monotonicMs: () => sim.monotonicMs(), wallMs: () => sim.wallMs(), sleep: async (ms) => void waits.push(ms) };
  const transport = transportTo(url, clock);
  await assert.rejects(createClient(transport).list(ConfigMaps), (error) => isReason(error, "TooManyRequests"));
  assert.deepEqual(waits, [1000, 1000, 1000, 1000, 1000]);
  assert.equal(asked, 6);
  transport.close();
  await close(server);
});

test("HTTP transport: a watch that is refused with Retry-After is opened later", async () => {
  let asked = 0;
  const { server, url } = await listen((_request, response) => {
    if (++asked === 1) response.writeHead(429, { "retry-after": "1" }).end("storage is (re)initializing");
    else response.end('{"type":"ADDED","object":{"metadata":{"name":"one","resourceVersion":"2"}}}\n');
  });
  const clock = new SimClock();
  const transport = transportTo(url, { monotonicMs: () => 0, wallMs: () => 0, sleep: () => clock.advance(0) });
  const names: string[] = [];
  for await (const { object } of createClient(transport).watch(ConfigMaps, { resourceVersion: "1" }, new AbortController().signal)) {
    names.push(object.metadata.name);
  }
  assert.deepEqual([asked, names], [2, ["one"]]);
  transport.close();
  await close(server);
});

test("HTTP transport: a watch on which nothing comes, not even a bookmark, is a Timeout", async () => {
  const { server, url } = await listen((_request, response) => {
    response.writeHead(200).write('{"type":"ADDED","object":{"metadata":{"name":"one","resourceVersion":"2"}}}\n');
  });
  const transport = createHttpTransport({ server: url, clock: new SimClock(), logger: silentLogger, userAgent: "eider-test", watchIdleMs: 50 });
  await assert.rejects(
    (async () => {
      for await (const { object } of createClient(transport).watch(ConfigMaps, { resourceVersion: "1" }, new AbortController().signal)) {
        assert.equal(object.metadata.name, "one");
      }
    })(),
    (error) => isReason(error, "Timeout"),
  );
  transport.close();
  await close(server);
});

test("HTTP transport: credentials and agent are sent, and answers that are no Status become errors by their code", async () => {
  const headers: (string | undefined)[] = [];
  const { server, url } = await listen((request, response) => {
    headers.push(request.headers.authorization, request.headers["user-agent"]);
    response.writeHead(403).end("no entry");
  });
  const transport = transportTo(url);
  await assert.rejects(createClient(transport).get(ConfigMaps, "default", "one"), (error) => isReason(error, "Forbidden") && error.message === "no entry");
  assert.deepEqual(headers, ["Bearer secret", "eider-test"]);
  transport.close();
  await close(server);
});

for (const { verb, asked } of [
  { verb: "get", asked: 3 },
  { verb: "create", asked: 2 },
  { verb: "delete", asked: 2 },
] as const) {
  test(`HTTP transport: a ${verb} that meets a connection which the server has closed is ${verb === "get" ? "sent on another" : "not sent twice"}`, async () => {
    let requests = 0;
    const { server, url } = await listen((request, response) => {
      if (++requests === 2) request.socket.resetAndDestroy();
      else response.end('{"metadata":{"name":"one"}}');
    });
    const transport = transportTo(url);
    const client = createClient(transport);
    await client.get(ConfigMaps, "default", "one");
    const second = {
      get: () => client.get(ConfigMaps, "default", "one"),
      create: () => client.create(ConfigMaps, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "two", namespace: "default" } }),
      delete: () => client.delete(ConfigMaps, { namespace: "default", name: "one" }),
    }[verb]();
    if (verb === "get") assert.equal((await second)?.metadata.name, "one");
    else await assert.rejects(second, (error) => isReason(error, "ServiceUnavailable"));
    assert.equal(requests, asked);
    transport.close();
    await close(server);
  });
}

test("HTTP transport: a token from a file is read again after a minute, and kept while the file is away", async () => {
  const seen: (string | undefined)[] = [];
  const { server, url } = await listen((request, response) => {
    seen.push(request.headers.authorization);
    response.end('{"metadata":{}}');
  });
  const folder = await mkdtemp(join(tmpdir(), "eider-token-"));
  const tokenFile = join(folder, "token");
  const clock = new SimClock();
  const transport = createHttpTransport({ server: url, token: "first", tokenFile, clock, logger: silentLogger, userAgent: "eider-test" });
  const ask = (): Promise<unknown> => createClient(transport).list(ConfigMaps);
  await writeFile(tokenFile, "second\n");
  await ask();
  await clock.advance(60_000);
  await ask();
  await rm(tokenFile);
  await clock.advance(60_000);
  await ask();
  assert.deepEqual(seen, ["Bearer first", "Bearer second", "Bearer second"]);
  await rm(folder, { recursive: true });
  transport.close();
  await close(server);
});

const ENDINGS = [
  {
    name: "an ERROR event with code 410 is Expired",
    line: '{"type":"ERROR","object":{"kind":"Status","status":"Failure","reason":"Expired","message":"too old","code":410}}',
    reason: "Expired",
  },
  {
    name: "a 410 without a reason is Expired, too",
    line: '{"type":"ERROR","object":{"kind":"Status","status":"Failure","message":"too old","code":410}}',
    reason: "Expired",
  },
  { name: "a line that is not an event is an error", line: "<html>", reason: "InternalError" },
] as const;

for (const { name, line, reason } of ENDINGS) {
  test(`HTTP transport: in a watch ${name}`, async () => {
    const { server, url } = await listen((_request, response) => void response.end(`${line}\n`));
    const transport = transportTo(url);
    const watch = createClient(transport).watch(ConfigMaps, { resourceVersion: "1" }, new AbortController().signal);
    await assert.rejects(
      (async () => {
        for await (const event of watch) assert.fail(`no event was sent, but ${event.type} came`);
      })(),
      (error) => isReason(error, reason),
    );
    transport.close();
    await close(server);
  });
}

test("HTTP transport: a server that is not there is ServiceUnavailable", async () => {
  const { server, url } = await listen(() => {});
  await close(server);
  const transport = transportTo(url);
  await assert.rejects(createClient(transport).list(ConfigMaps), (error) => isReason(error, "ServiceUnavailable"));
  transport.close();
});
