import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { SimClock } from "#core";
import { daemonAddresses, findDaemon, parseDaemonAddress } from "./find-daemon.ts";

test("daemonAddresses: what is asked for, else DOCKER_HOST, else the usual places", () => {
  const env = { XDG_RUNTIME_DIR: "/run/user/7", HOME: "/home/a" };
  assert.deepEqual(daemonAddresses({ asked: "off", env: { DOCKER_HOST: "unix:///a" } }), []);
  assert.deepEqual(daemonAddresses({ asked: "unix:///b", env: { DOCKER_HOST: "unix:///a" } }), ["unix:///b"]);
  assert.deepEqual(daemonAddresses({ asked: "auto", env: { ...env, DOCKER_HOST: "unix:///a" } }), ["unix:///a"]);
  assert.deepEqual(daemonAddresses({ asked: "auto", env }), [
    "unix:///var/run/docker.sock",
    "unix:///run/podman/podman.sock",
    "unix:///run/user/7/docker.sock",
    "unix:///run/user/7/podman/podman.sock",
    "unix:///home/a/.docker/run/docker.sock",
    "unix:///home/a/.docker/desktop/docker.sock",
    "unix:///home/a/.colima/default/docker.sock",
    "unix:///home/a/.colima/docker.sock",
  ]);
});

test("parseDaemonAddress", () => {
  assert.deepEqual(parseDaemonAddress("unix:///run/x.sock"), { socketPath: "/run/x.sock" });
  assert.deepEqual(parseDaemonAddress("tcp://10.0.0.1"), { host: "10.0.0.1", port: 2375 });
  assert.deepEqual(parseDaemonAddress("tcp://[::1]:99"), { host: "::1", port: 99 });
  for (const wrong of ["", "unix://", "ssh://me@there", "/run/x.sock"])
    assert.throws(() => parseDaemonAddress(wrong), /is not an address of a container daemon/);
});

async function listening(t: TestContext, answer: string | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "eider-daemon-"));
  const server = createServer((_request, response) => void (answer === undefined ? undefined : response.end(answer)));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, "d.sock");
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return `unix://${path}`;
}

test("Docker and Podman are told apart", async (t) => {
  const podman = await listening(t, JSON.stringify({ Version: "4.3.1", Arch: "arm64", Components: [{ Name: "Podman Engine" }] }));
  const docker = await listening(t, JSON.stringify({ Version: "28.5.2", Components: [{ Name: "Engine" }] }));
  const found = await findDaemon({ asked: podman, env: {}, clock: new SimClock() });
  assert.deepEqual([found?.engine, found?.version, found?.architecture], ["podman", "4.3.1", "arm64"]);
  found?.client.close();
  const other = await findDaemon({ asked: "auto", env: { DOCKER_HOST: docker }, clock: new SimClock() });
  assert.deepEqual([other?.engine, other?.at], ["docker", docker]);
  other?.client.close();
});

test("nothing there is nothing found, unless it was asked for", async (t) => {
  const clock = new SimClock();
  assert.equal(await findDaemon({ asked: "auto", env: { DOCKER_HOST: "unix:///nowhere/d.sock" }, clock }), undefined);
  await assert.rejects(findDaemon({ asked: "unix:///nowhere/d.sock", env: {}, clock }), /cannot be reached: connect ENOENT/);
  const other = await listening(t, JSON.stringify({ hello: "world" }));
  await assert.rejects(findDaemon({ asked: other, env: {}, clock }), /is no container daemon/);
});

test("a daemon that accepts and says nothing is passed over", async (t) => {
  const clock = new SimClock();
  const finding = findDaemon({ asked: "auto", env: { DOCKER_HOST: await listening(t, undefined) }, clock });
  const answers: unknown[] = [];
  void finding.then((answer) => answers.push(answer));
  while (answers.length === 0) await clock.advance(100);
  assert.deepEqual(answers, [undefined]);
});
