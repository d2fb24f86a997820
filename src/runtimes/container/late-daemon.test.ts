// A daemon that comes up after the platform, one that says nothing, and one that is not wanted.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { LateDaemon } from "./late-daemon.ts";
import { Leftovers } from "./leftovers.ts";

function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "eider-late-"));
  const path = join(folder, "d.sock");
  let asked = 0;
  const answers: Record<string, object> = {
    "/v1.41/version": { Version: "4.3.1", Arch: "amd64", Components: [{ Name: "Podman Engine" }] },
    "/v1.41/info": { Name: "another" },
    "/v1.41/networks/podman": { IPAM: { Config: [{ Subnet: "10.1.0.0/16", Gateway: "10.1.0.1" }] } },
  };
  let isDaemon = true;
  const server = createServer((request, response) => {
    asked += 1;
    const answer = isDaemon ? answers[request.url ?? ""] : undefined;
    response.writeHead(answer === undefined ? 500 : 200).end(JSON.stringify(answer ?? { message: "not yet" }));
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const clock = new SimClock();
  const found: string[] = [];
  const late = (to = `unix://${path}`): LateDaemon =>
    new LateDaemon({ asked: to, env: {}, clock, logger: silentLogger, onFound: ({ daemon }) => found.push(daemon.version) });
  return {
    clock,
    late,
    found,
    asked: () => asked,
    becomes: (what: boolean) => void (isDaemon = what),
    listen: () => new Promise<void>((resolve) => server.listen(path, resolve)),
  };
}

test("a daemon that comes up later is found by the next look, once, also by several who look", async (t) => {
  const { late, listen, found, clock } = world(t);
  const daemon = late();
  assert.deepEqual([daemon.mayCome, await daemon.look(), daemon.why], [false, undefined, "there is no socket of Docker or Podman"]);
  await listen();
  assert.equal(daemon.mayCome, true);
  const [one, two] = await Promise.all([daemon.look(), daemon.look()]);
  assert.deepEqual([one?.daemon.version, one === two, found], ["4.3.1", true, ["4.3.1"]]);
  assert.equal(clock.waiting, 0, "nothing waits for it any more");
});

test("a socket with nobody of use behind it is asked again after a second, then after two", async (t) => {
  const { late, listen, becomes, asked, clock } = world(t);
  await listen();
  becomes(false);
  const daemon = late();
  assert.equal(await daemon.look(), undefined);
  assert.match(daemon.why, /not yet/);
  const before = asked();
  assert.deepEqual([daemon.mayCome, await daemon.look(), asked()], [false, undefined, before]);
  await clock.advance(1_000);
  assert.deepEqual([await daemon.look(), asked() > before], [undefined, true]);
  await clock.advance(1_000);
  assert.equal(daemon.mayCome, false);
  becomes(true);
  await clock.advance(1_000);
  assert.equal((await daemon.look())?.daemon.engine, "podman");
});

test("a daemon that is switched off is never looked for", async (t) => {
  const { late, listen, asked } = world(t);
  await listen();
  const daemon = late("off");
  assert.deepEqual([daemon.mayCome, await daemon.look(), daemon.why, asked()], [false, undefined, "it is switched off", 0]);
});

test("leftovers are tried again until they are gone; then nothing waits", async () => {
  const clock = new SimClock();
  const tried: string[] = [];
  let away = true;
  const remove = async (uid: string): Promise<void> => {
    tried.push(uid);
    if (away) throw new Error("away");
  };
  const leftovers = new Leftovers({ clock, logger: silentLogger, remove }, new AbortController().signal);
  leftovers.add("a");
  leftovers.add("b");
  await clock.advance(1_000);
  assert.deepEqual(tried, ["a"], "one refusal speaks for all");
  away = false;
  await clock.advance(2_000);
  assert.deepEqual([tried, clock.waiting], [["a", "a", "b"], 0]);
});
