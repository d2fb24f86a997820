import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SeededRng, silentLogger, type Logger } from "#core";
import type { GatewaySettings, TracedRequest } from "#protocol";
import { Counters } from "../counters.ts";
import { answering, backendEntry, hostEntry, ok, request, socketClock, startClient, startGateway, startPod } from "../testing.ts";
import type { RequestFacts } from "../request/request-facts.ts";
import { parseRequestHead } from "../http/request-head.ts";
import { Observatory } from "./observatory.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const NONE: GatewaySettings = { trustedProxies: [], requestLog: undefined };

test("a request through the gateway goes on in its trace; without tracing it goes on as it came", async () => {
  const heads: string[] = [];
  await using pod = await startPod(
    answering((head) => {
      heads.push(head);
      return ok("hello");
    }),
  );
  const sent: TracedRequest[] = [];
  {
    await using gateway = await startGateway();
    const pods = [{ id: "p", name: "pod-1", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods, service: "svc" })] });
    using client = await startClient(gateway.gateway.port);
    const ask = async (answers: number): Promise<void> => {
      client.send(request("/a", [`traceparent: 00-${TRACE}-b7ad6b7169203331-01`, "tracestate: a=b", "baggage: k=v"]));
      await client.until((text) => text.split("hello").length > answers);
    };
    await ask(1);
    gateway.gateway.receive({ type: "settings", settings: { ...NONE, tracing: { rate: 0.000001 } } });
    await ask(2);
    gateway.gateway.receive({ type: "settings", settings: NONE });
    await ask(3);
    for (const message of gateway.sent) if (message.type === "traces") sent.push(...message.requests);
  }
  const parents = heads.map((head) => /^traceparent: (.*)$/m.exec(head)?.[1]?.trim());
  assert.deepEqual([parents[0], parents[2]], Array(2).fill(`00-${TRACE}-b7ad6b7169203331-01`));
  assert.equal(parents[1], `00-${TRACE}-${sent[0]?.upstreamId}-01`);
  assert.ok(heads.every((head) => head.includes("tracestate: a=b\r\n") && head.includes("baggage: k=v\r\n")));
  assert.deepEqual(
    sent.map(({ traceId, parentId, status, service, podName, attempts }) => ({ traceId, parentId, status, service, podName, attempts })),
    [{ traceId: TRACE, parentId: "b7ad6b7169203331", status: 200, service: "svc", podName: "pod-1", attempts: 1 }],
  );
});

function facts(): RequestFacts {
  const head = parseRequestHead("GET /a HTTP/1.1\r\nHost: app.test\r\n\r\n");
  assert.ok(!("reason" in head));
  return {
    head,
    method: head.method,
    minor: head.minor,
    parked: undefined,
    backend: { key: "ns/rev", entry: {} },
    clientAddress: "192.0.2.1",
    status: 200,
    arrivedMs: 0,
    grantedMs: 1,
    endedMs: 2,
    attempts: 1,
    outcome: "answered",
    trace: undefined,
  } as unknown as RequestFacts;
}

test("logs follow the settings; a template that is refused leaves the one before", async () => {
  const folder = mkdtempSync(join(tmpdir(), "eider-observatory-"));
  const errors: string[] = [];
  const logger: Logger = { ...silentLogger, error: (message) => void errors.push(message) };
  const counters = new Counters();
  const options = {
    thread: 0,
    logFolder: folder,
    backends: new Map(),
    counters,
    clock: socketClock,
    rng: new SeededRng(1),
    logger,
    sendTraces: () => undefined,
  };
  const observatory = new Observatory(options);
  const end = (): void => {
    for (const observer of observatory.observers.slice(1)) observer.ended(facts());
  };
  assert.equal(observatory.observers.length, 1, "metrics alone");
  const log = (template: string): GatewaySettings => ({
    ...NONE,
    requestLog: { template, probes: false },
    accessLog: { file: "access.log", format: "common" },
  });
  observatory.apply(log("one {{.Response.Code}}"));
  end();
  observatory.apply(log("{{range .X}}{{end}}"));
  end();
  assert.deepEqual(errors, ["request log template is refused, the one before stays"]);
  observatory.apply({ ...log("two"), accessLog: undefined });
  end();
  observatory.apply(NONE);
  assert.equal(observatory.observers.length, 1);
  end();
  await observatory.close();
  const lines = (name: string): string[] => readFileSync(join(folder, name), "utf8").trimEnd().split("\n");
  assert.deepEqual(lines("requests.log").sort(), ["one 200", "one 200", "two"]);
  assert.equal(lines("access.log").length, 2);
  assert.equal(counters.linesDropped, 0);
  rmSync(folder, { recursive: true });
});

test("without a folder nothing is logged to files, and requests go on", () => {
  const counters = new Counters();
  const options = {
    thread: 0,
    logFolder: undefined,
    backends: new Map(),
    counters,
    clock: socketClock,
    rng: new SeededRng(1),
    logger: silentLogger,
    sendTraces: () => undefined,
  };
  const observatory = new Observatory(options);
  observatory.apply({ ...NONE, accessLog: { file: "access.log", format: "json" } });
  assert.equal(observatory.observers.length, 1);
});
