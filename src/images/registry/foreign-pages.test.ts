// Who is refused before he is asked anything: pages of others in a browser on this machine.
import assert from "node:assert/strict";
import { test } from "node:test";
import { registryWorld } from "./registry-world.test-suite.ts";

const rows: readonly { readonly name: string; readonly headers: Readonly<Record<string, string>>; readonly refused?: RegExp }[] = [
  { name: "a program", headers: {} },
  { name: "localhost", headers: { host: "localhost:5000" } },
  { name: "in capitals, with a dot", headers: { host: "LocalHost.:5000" } },
  { name: "a name below localhost", headers: { host: "registry.localhost" } },
  { name: "an address", headers: { host: "10.88.0.1:5000" } },
  { name: "an address of six", headers: { host: "[::1]:5000" } },
  { name: "from a container of Podman", headers: { host: "host.containers.internal:5000" } },
  { name: "from a container of Docker", headers: { host: "host.docker.internal:5000" } },
  { name: "the host that was asked for", headers: { host: "build.example:5000" } },
  { name: "a browser's address bar", headers: { host: "localhost:5000", "sec-fetch-site": "none" } },
  { name: "a page of its own", headers: { host: "localhost:5000", origin: "http://localhost:5000", "sec-fetch-site": "same-origin" } },
  { name: "the same behind TLS", headers: { host: "localhost", origin: "https://localhost" } },
  { name: "a page of another", headers: { host: "localhost:5000", origin: "https://evil.example" }, refused: /page of "https:\/\/evil\.example" may not/ },
  { name: "a page of nobody", headers: { host: "localhost:5000", origin: "null" }, refused: /page of "null" may not/ },
  { name: "a page of another port", headers: { host: "localhost:5000", origin: "http://localhost:3000" }, refused: /page of "http:\/\/localhost:3000"/ },
  { name: "another site without an Origin", headers: { host: "localhost:5000", "sec-fetch-site": "cross-site" }, refused: /Sec-Fetch-Site: cross-site/ },
  { name: "a neighbour of ours", headers: { host: "a.localhost", "sec-fetch-site": "same-site" }, refused: /Sec-Fetch-Site: same-site/ },
  {
    name: "a name that was let point here",
    headers: { host: "evil.example:5000" },
    refused: /not known as "evil\.example:5000": ask for it at build\.example:5000/,
  },
  { name: "also for its own page", headers: { host: "evil.example:5000", origin: "http://evil.example:5000" }, refused: /not known as/ },
  { name: "a name that begins as an address", headers: { host: "127.0.0.1.evil.example" }, refused: /not known as/ },
  { name: "a name that ends as ours", headers: { host: "evillocalhost" }, refused: /not known as/ },
  { name: "what is no host", headers: { host: "a b" }, refused: /not known as "a b"/ },
];

test("requests of foreign pages are refused, and nothing comes of them", async (t) => {
  const world = await registryWorld(t);
  await world.store.own.serveAs(["build.example:5000"]);
  for (const { name, headers, refused } of rows) {
    await t.test(name, async () => {
      const { status, code, body } = await world.ask("POST /v2/a/blobs/uploads/", "", headers);
      if (refused === undefined) return void assert.equal(status, 202, body);
      assert.deepEqual([status, code], [403, "DENIED"]);
      assert.match((JSON.parse(body) as { errors: { message: string }[] }).errors[0]?.message ?? "", refused);
    });
  }
});

test("who has to say who he is may use any name, but no page of another", async (t) => {
  const world = await registryWorld(t, { access: { kind: "basic", user: "eider", password: "secret", wallMs: () => 0 } });
  const headers = { host: "registry.example", authorization: `Basic ${Buffer.from("eider:secret").toString("base64")}` };
  assert.equal((await world.ask("GET /v2/", "", headers)).status, 200);
  assert.equal((await world.ask("GET /v2/", "", { ...headers, origin: "https://evil.example" })).status, 403);
});
