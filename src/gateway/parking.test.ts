// Heads wait for their response in places of the thread: whatever the end, the place is given back, once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import { ParkedHeads } from "./http/parked-heads.ts";
import { RequestMetrics } from "./observe/request-metrics.ts";
import type { RequestFacts } from "./request/request-facts.ts";
import { answering, eventually, ok, oneReadyPod, request, startClient, startGateway, startPod, type TestClient } from "./testing.ts";

const TIMEOUT_MS = 10_000;

interface End {
  readonly name: string;
  readonly path: string;
  readonly lines?: readonly string[];
  /** What the client, or time, does once the pod has the request. */
  readonly meanwhile?: (client: TestClient, clock: SimClock) => Promise<unknown>;
  readonly got: RegExp;
}

const UPGRADE = ["Connection: Upgrade", "Upgrade: websocket"];

/** Once the tunnel is open. */
async function leaves(client: TestClient): Promise<void> {
  await client.until((text) => text.startsWith("HTTP/1.1 101 "));
  client.socket.destroy();
}

const ends: readonly End[] = [
  { name: "an answer", path: "/plain", got: /200 OK[^]*\/plain$/ },
  { name: "an answer at the second attempt", path: "/breaks-once", got: /200 OK[^]*\/breaks-once$/ },
  { name: "a pod that breaks each time", path: "/breaks", got: /^HTTP\/1.1 502 / },
  { name: "a client that leaves", path: "/silent", meanwhile: (client) => Promise.resolve(client.socket.destroy()), got: /^$/ },
  { name: "the end of its time", path: "/silent", meanwhile: (_, clock) => clock.advance(TIMEOUT_MS), got: /^HTTP\/1.1 504 / },
  { name: "a tunnel that its client closes", path: "/tunnel", lines: UPGRADE, meanwhile: leaves, got: /^HTTP\/1.1 101 / },
];

for (const { name, path, lines = [], meanwhile, got } of ends) {
  test(`a place is given back after ${name}`, async (t) => {
    const park = t.mock.method(ParkedHeads.prototype, "park");
    const leave = t.mock.method(ParkedHeads.prototype, "leave");
    const clock = new SimClock();
    await using gateway = await startGateway(clock);
    let breaks = path === "/breaks-once" ? 1 : Infinity;
    let seen = 0;
    await using pod = await startPod((socket) =>
      answering((head) => {
        seen++;
        const asked = head.split(" ")[1] ?? "";
        if (asked.startsWith("/breaks") && breaks-- > 0) return void socket.destroy();
        if (asked === "/tunnel") return "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
        return asked === "/silent" ? undefined : ok(asked);
      })(socket),
    );
    oneReadyPod(gateway, pod, { backend: { timeoutMs: TIMEOUT_MS } });
    using client = await startClient(gateway.gateway.port);
    client.send(request(path, lines));
    await eventually(() => seen > 0);
    await meanwhile?.(client, clock);
    await eventually(() => got.test(client.text()));
    const places = park.mock.calls.map(({ result }) => result).filter((place) => place !== undefined);
    assert.ok(places.length > 0);
    await eventually(() => leave.mock.callCount() >= places.length);
    assert.deepEqual(
      leave.mock.calls.map((call) => call.arguments[0]),
      places,
    );
  });
}

test("requests of one connection, one behind the other: each ends with its own head, and what the client repeats is not parked", async (t) => {
  const ended: string[] = [];
  t.mock.method(RequestMetrics.prototype, "ended", ({ method, head, parked }: RequestFacts) => {
    ended.push(`${parked === undefined ? "kept" : "parked"} ${method} ${head.method} ${head.target}`);
  });
  const park = t.mock.method(ParkedHeads.prototype, "park");
  const leave = t.mock.method(ParkedHeads.prototype, "leave");
  await using gateway = await startGateway();
  const got: string[] = [];
  let breaks = 1;
  await using pod = await startPod((socket) =>
    answering((head) => {
      const [method = "", target = ""] = head.split(" ");
      got.push(`${method} ${target}`);
      if (target === "/breaks-once" && breaks-- > 0) return void socket.destroy();
      return method === "HEAD" ? "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" : ok(target);
    })(socket),
  );
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  // Some at once, which are exchanges of their own; the others are one exchange that is used again.
  client.send([request("/first"), request("/breaks-once"), request("/head", [], "HEAD")].join(""));
  await eventually(() => ended.length === 3);
  for (const path of ["/same", "/same", "/same", "/last"]) {
    const before = ended.length;
    client.send(request(path));
    await eventually(() => ended.length > before);
  }
  const each = ["GET /first", "GET /breaks-once", "HEAD /head", "GET /same", "GET /same", "GET /same", "GET /last"];
  assert.deepEqual(got, [...each.slice(0, 2), ...each.slice(1)]);
  assert.deepEqual(ended, [
    "parked GET GET /first",
    "parked GET GET /breaks-once",
    "parked HEAD HEAD /head",
    "parked GET GET /same",
    ...Array<string>(2).fill("kept GET GET /same"),
    "parked GET GET /last",
  ]);
  const places = park.mock.calls.map(({ result }) => result);
  assert.equal(places.length, 5);
  assert.deepEqual(
    leave.mock.calls.map((call) => call.arguments[0]),
    places,
  );
});
