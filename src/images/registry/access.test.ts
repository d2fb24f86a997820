// Names, passwords and tokens: who comes in, with what, for how long.
import assert from "node:assert/strict";
import { test } from "node:test";
import { registryWorld } from "./registry-world.test-suite.ts";

const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });

test("basic: each request brings the name and the password", async (t) => {
  const world = await registryWorld(t, { access: { kind: "basic", user: "eider", password: "secret", wallMs: () => 0 } });
  const refused = await world.ask("GET /v2/");
  assert.deepEqual([refused.status, refused.code, refused.headers["www-authenticate"]], [401, "UNAUTHORIZED", 'Basic realm="eider"']);
  assert.equal((await world.ask("GET /v2/", "", basic("eider:wrong"))).status, 401);
  assert.equal((await world.ask("GET /v2/", "", basic("eider:secret"))).status, 200);
  assert.equal((await world.ask("POST /v2/a/blobs/uploads/", "", basic("eider:secret"))).status, 202);
  assert.equal((await world.ask("GET /token", "", basic("eider:secret"))).status, 404);
});

test("token: it is exchanged for name and password, holds for what it was asked for, and for five minutes", async (t) => {
  let nowMs = 0;
  const world = await registryWorld(t, { access: { kind: "token", user: "eider", password: "secret", wallMs: () => nowMs } });
  const refused = await world.ask("POST /v2/a/blobs/uploads/", "", { host: "registry.test:5000" });
  assert.equal(refused.headers["www-authenticate"], 'Bearer realm="http://registry.test:5000/token",service="eider",scope="repository:a:pull,push"');
  assert.equal((await world.ask("GET /token?scope=repository:a:pull,push", "", basic("eider:wrong"))).status, 401);
  const { body } = await world.ask("GET /token?service=eider&scope=repository:a:pull,push", "", basic("eider:secret"));
  const { token, expires_in: seconds } = JSON.parse(body) as { token: string; expires_in: number };
  const bearer = { authorization: `Bearer ${token}` };
  assert.equal(seconds, 300);
  const statusOf = async (line: string, headers = bearer) => (await world.ask(line, "", headers)).status;
  assert.deepEqual(
    [await statusOf("GET /v2/"), await statusOf("POST /v2/a/blobs/uploads/"), await statusOf("POST /v2/b/blobs/uploads/"), await statusOf("GET /v2/_catalog")],
    [200, 202, 401, 401],
  );
  const [payload = "", signature = ""] = token.split(".");
  const forged = Buffer.from(Buffer.from(payload, "base64url").toString().replace("repository:a", "repository:b")).toString("base64url");
  assert.equal(await statusOf("POST /v2/b/blobs/uploads/", { authorization: `Bearer ${forged}.${signature}` }), 401);
  nowMs = 300_000;
  assert.equal(await statusOf("GET /v2/"), 401);
});
