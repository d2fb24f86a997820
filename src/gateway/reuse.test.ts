// An exchange serves the requests of its connection one after the other: nothing of one may show in the next.
import assert from "node:assert/strict";
import { test } from "node:test";
import { answering, ok, oneReadyPod, request, startClient, startGateway, startPod } from "./testing.ts";

const TRACED = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** Requests that leave something in an exchange, and whose connection stays. */
const rows: readonly { readonly name: string; readonly sent: string }[] = [
  { name: "a traced one", sent: request("/first", [TRACED]) },
  { name: "one with a body", sent: `${request("/first", ["Content-Length: 5"], "POST")}12345` },
  { name: "a client that waits to be asked for its body", sent: `${request("/first", ["Content-Length: 2", "Expect: 100-continue"], "POST")}xy` },
  { name: "an informational response", sent: request("/informed") },
  { name: "HTTP/1.0", sent: request("/first", ["Connection: keep-alive"]).replace("HTTP/1.1", "HTTP/1.0") },
  { name: "a second attempt", sent: request("/breaks-once") },
  { name: "a response of our own", sent: request("/first").replace("app.test", "no.test") },
];

for (const { name, sent } of rows) {
  test(`a request is the same after ${name} as on a new connection`, async () => {
    await using gateway = await startGateway();
    gateway.gateway.receive({ type: "settings", settings: { trustedProxies: [], requestLog: undefined, tracing: { rate: 0 } } });
    const heads: string[] = [];
    let breaks = 1;
    await using pod = await startPod((socket) =>
      answering((head) => {
        const path = head.split(" ")[1] ?? "";
        // What is left of the body before is no part of it.
        heads.push(head.slice(Math.max(0, head.indexOf("GET "))));
        if (path === "/breaks-once" && breaks-- > 0) return void socket.destroy();
        return (path === "/informed" ? "HTTP/1.1 103 Early Hints\r\n\r\n" : "") + ok(path);
      })(socket),
    );
    oneReadyPod(gateway, pod, { backend: { containerConcurrency: 3 } });
    using fresh = await startClient(gateway.gateway.port);
    fresh.send(request("/plain"));
    const answer = await fresh.until((text) => text.endsWith("/plain"));
    const head = heads.at(-1);
    using client = await startClient(gateway.gateway.port);
    client.send(sent);
    const first = await client.until((text) => /(?:\/first|\/informed|\/breaks-once|"no.test")\n?$/.test(text));
    for (let times = 1; times <= 3; times++) {
      client.send(request("/plain"));
      const text = await client.until((received) => received.length >= first.length + times * answer.length);
      assert.equal(text.slice(-answer.length), answer);
      assert.equal(heads.at(-1), head);
    }
  });
}
