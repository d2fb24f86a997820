import assert from "node:assert/strict";
import { once } from "node:events";
import { get } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { test } from "node:test";
import { silentLogger, SimClock, type Logger } from "#core";
import { MetricsListener } from "./metrics-listener.ts";

async function answerOf(port: number, path: string): Promise<{ readonly status: number | undefined; readonly text: string }> {
  const [answer] = (await once(get({ port, host: "127.0.0.1", path, agent: false }), "response")) as [import("node:http").IncomingMessage];
  const chunks = (await answer.toArray()) as Buffer[];
  return { status: answer.statusCode, text: Buffer.concat(chunks).toString() };
}

function world() {
  const clock = new SimClock();
  const said = { served: Promise.withResolvers<void>(), refused: Promise.withResolvers<void>() };
  const logger: Logger = { ...silentLogger, info: () => said.served.resolve(), warn: () => said.refused.resolve() };
  const listener = new MetricsListener({ port: 9090, text: () => Promise.resolve("x_total 1\n"), clock, logger });
  return { clock, said, listener };
}

test("metrics are served where the settings say, after a port that was taken is free; nothing else is", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { clock, said, listener } = world();
  listener.apply({ protocol: "prometheus", endpoint: `127.0.0.1:${port}`, intervalMs: undefined });
  await said.refused.promise;
  other.close();
  await once(other, "close");
  await clock.advance(5_000);
  await said.served.promise;
  assert.deepEqual(await answerOf(port, "/metrics"), { status: 200, text: "x_total 1\n" });
  assert.equal((await answerOf(port, "/debug/pprof")).status, 404);
  listener.apply({ protocol: "none", endpoint: "", intervalMs: undefined });
  await listener.end();
});

test("without the protocol nothing listens, and one that only pushes is told so", async () => {
  const { said, listener } = world();
  listener.apply({ protocol: "grpc", endpoint: "collector:4317", intervalMs: undefined });
  await said.refused.promise;
  listener.apply({ protocol: "none", endpoint: "", intervalMs: undefined });
  await listener.end();
});
