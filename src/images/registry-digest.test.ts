// Digests of tags from a registry: with and without a token, refusals in the words of the real thing.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { resolveInRegistry } from "./registry-digest.ts";

const DIGEST = `sha256:${"1".repeat(64)}`;
const never = new AbortController().signal;

async function registry(t: TestContext, handler: (request: IncomingMessage, response: ServerResponse, host: string) => void): Promise<string> {
  const server = createServer((request, response) => handler(request, response, host));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  t.after(() => server.close());
  return host;
}

test("resolveInRegistry: a tag is asked for by HEAD, and its digest comes in a header", async (t) => {
  const asked: (string | undefined)[] = [];
  const host = await registry(t, (request, response) => {
    asked.push(request.method, request.url);
    response.writeHead(200, { "docker-content-digest": DIGEST }).end();
  });
  assert.deepEqual(await resolveInRegistry(`${host}/app:v1`, never), { digest: DIGEST });
  assert.deepEqual(asked, ["HEAD", "/v2/app/manifests/v1"]);
});

test("resolveInRegistry: a registry that wants a token gets one that everybody gets", async (t) => {
  const host = await registry(t, (request, response, self) => {
    if (request.url?.startsWith("/token") === true) {
      assert.equal(new URL(request.url, "http://x").searchParams.get("scope"), "repository:app:pull");
      response.end(JSON.stringify({ token: "t" }));
    } else if (request.headers.authorization === "Bearer t") response.writeHead(200, { "docker-content-digest": DIGEST }).end();
    else response.writeHead(401, { "www-authenticate": `Bearer realm="http://${self}/token",service="s",scope="repository:app:pull"` }).end();
  });
  assert.deepEqual(await resolveInRegistry(`${host}/app`, never), { digest: DIGEST });
});

test("resolveInRegistry: a name with a digest is not asked for", async () => {
  assert.deepEqual(await resolveInRegistry(`nowhere.invalid/app@${DIGEST}`, never), { digest: DIGEST });
});

const refusals = [
  {
    name: "an image that is not there",
    headers: {},
    code: 404,
    text: /^HEAD http:\/\/.*\/v2\/app\/manifests\/latest: unexpected status code 404 Not Found \(HEAD responses have no body, use GET for details\)$/,
  },
  { name: "a private image", headers: {}, code: 401, text: /unexpected status code 401 Unauthorized/ },
  { name: "an answer without a digest", headers: { "docker-content-digest": "md5:1" }, code: 200, text: /did not include Docker-Content-Digest/ },
] as const;
for (const { name, headers, code, text } of refusals) {
  test(`resolveInRegistry: ${name} is an error`, async (t) => {
    const host = await registry(t, (_request, response) => void response.writeHead(code, headers).end());
    const answer = await resolveInRegistry(`${host}/app`, never);
    assert.match("error" in answer ? answer.error : "", text);
  });
}

test("resolveInRegistry: a registry that is not there, and a name that is none", async () => {
  const gone = await resolveInRegistry("127.0.0.1:1/app", never);
  assert.match("error" in gone ? gone.error : "", /^Head "http:\/\/127\.0\.0\.1:1\/v2\/app\/manifests\/latest": .*ECONNREFUSED/);
  assert.deepEqual(await resolveInRegistry("No Image", never), { error: "could not parse reference: No Image" });
});
