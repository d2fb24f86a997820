// The saved routing state: what is read back is what the threads were told, and a damaged file is never more than an older state.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { GatewaySettings } from "./gateway.ts";
import type { Backend, RouteDelta, RouteHost } from "./routes.ts";
import { decodeSaved, encodeSaved, SAVED_ROUTES_FORMAT } from "./saved-routes.ts";

const settings = { trustedProxies: ["10.0.0.0/8"], requestLog: undefined } as unknown as GatewaySettings;
const host = (name: string, probeHash = "h"): RouteHost => ({ host: name, visibility: "ExternalIP", redirectToHttps: false, probeHash, paths: [] });
const backend = (key: string, slot: number): Backend =>
  ({ key, containerConcurrency: 1, pods: [{ id: `uid-${key}`, slot, address: "127.0.0.1", port: 4000, state: "ready" }] }) as unknown as Backend;
const delta = (part: Partial<RouteDelta>): RouteDelta => ({
  type: "routes",
  generation: 1,
  reset: false,
  hosts: [],
  hostsRemoved: [],
  backends: [],
  backendsRemoved: [],
  ...part,
});

const lines = [
  { type: "format", format: SAVED_ROUTES_FORMAT } as const,
  { type: "settings", settings } as const,
  delta({ reset: true, hosts: [host("a"), host("b")], backends: [backend("ns/a", 0), backend("ns/b", 1)] }),
  delta({ hosts: [host("a", "newer"), host("ü")], hostsRemoved: ["b"], backendsRemoved: ["ns/b"] }),
  delta({ backends: [backend("ns/a", 7)] }),
].map(encodeSaved);

test("the state after all records comes back", () => {
  const saved = decodeSaved(lines.join(""));
  assert.deepEqual(saved, JSON.parse(JSON.stringify({ settings, hosts: [host("a", "newer"), host("ü")], backends: [backend("ns/a", 7)] })));
});

test("whatever byte the file ends at, it gives the state after a whole record or none", () => {
  const text = Buffer.from(lines.join(""));
  const states = lines.map((_, index) => JSON.stringify(decodeSaved(lines.slice(0, index + 1).join(""))));
  const found = new Set<string | undefined>();
  for (let end = 0; end <= text.length; end++) {
    const state = JSON.stringify(decodeSaved(text.toString("utf8", 0, end)));
    assert.ok(state === undefined || states.includes(state), `cut at ${end}`);
    found.add(state);
  }
  assert.equal(found.size, 4, "none, and the state after each of the last three records");
});

test("a changed byte ends what is believed", () => {
  for (const [index, line] of lines.entries()) {
    const broken = [...lines];
    broken[index] = line.replace(/"type"/, '"tipe"');
    assert.deepEqual(decodeSaved(broken.join("")), decodeSaved(lines.slice(0, index).join("")));
  }
});

test("another format, or no beginning, is no state", () => {
  assert.equal(decodeSaved(encodeSaved({ type: "format", format: SAVED_ROUTES_FORMAT + 1 }) + lines.slice(1).join("")), undefined);
  assert.equal(decodeSaved(lines.slice(1).join("")), undefined);
  assert.equal(decodeSaved(lines.slice(0, 2).join("")), undefined);
  assert.equal(decodeSaved(""), undefined);
});
