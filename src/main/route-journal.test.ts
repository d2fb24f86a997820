// The journal of routes: what is read back is the table as it was told last, also after many changes, and no file rather than an old one.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { GatewaySettings, RouteDelta, RouteHost } from "#protocol";
import { readSavedRoutes, RouteJournal } from "./route-journal.ts";

const batch = (hosts: readonly RouteHost[], reset = false): RouteDelta => ({
  type: "routes",
  generation: 1,
  reset,
  hosts,
  hostsRemoved: [],
  backends: [],
  backendsRemoved: [],
});

function world(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "eider-journal-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "routes.log");
  const clock = new SimClock();
  const hosts = new Map<string, RouteHost>();
  const settings = { trustedProxies: [] } as unknown as GatewaySettings;
  const journal = new RouteJournal({ path, clock, logger: silentLogger, everything: () => batch([...hosts.values()], true), settings: () => settings });
  const put = (host: string, probeHash: string): void => {
    const route: RouteHost = { host, visibility: "ExternalIP", redirectToHttps: false, probeHash, paths: [] };
    hosts.set(host, route);
    journal.append(batch([route]));
  };
  const readBack = (): unknown => readSavedRoutes(path)?.hosts.map(({ host, probeHash }) => [host, probeHash]);
  return { path, clock, journal, put, readBack, hosts };
}

test("each change is there as soon as it is appended", (t) => {
  const { put, readBack } = world(t);
  assert.equal(readBack(), undefined);
  put("a", "1");
  assert.deepEqual(readBack(), [["a", "1"]]);
  put("b", "1");
  put("a", "2");
  assert.deepEqual(readBack(), [
    ["a", "2"],
    ["b", "1"],
  ]);
});

test("it is written anew before it grows without end", (t) => {
  const { put, readBack, path } = world(t);
  let most = 0;
  for (let index = 0; index < 5_000; index++) {
    put("a", String(index));
    most = Math.max(most, statSync(path).size);
  }
  assert.ok(most < 300 << 10, `${most} bytes`);
  assert.deepEqual(readBack(), [["a", "4999"]]);
});

test("where it cannot be written there is no file, and later there is one again", async (t) => {
  const { put, readBack, path, clock } = world(t);
  put("a", "1");
  // The place of the new file is taken by a folder: it cannot be written.
  mkdirSync(`${path}.new`);
  for (let index = 0; index < 5_000; index++) put("a", "x".repeat(60) + String(index));
  assert.ok(!existsSync(path), "an old state would be worse than none");
  rmSync(`${path}.new`, { recursive: true });
  put("b", "1");
  assert.equal(readBack(), undefined, "not tried again at once");
  await clock.advance(5_000);
  put("b", "2");
  assert.deepEqual((readBack() as unknown[]).at(-1), ["b", "2"]);
});

test("once closed it writes no more", (t) => {
  const { put, readBack, journal } = world(t);
  put("a", "1");
  journal.close();
  put("a", "2");
  assert.deepEqual(readBack(), [["a", "1"]]);
});
