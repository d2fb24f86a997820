// The known tricks against the gateway on real sockets, before Node's own server as the application.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { answering, backendEntry, hostEntry, ok, request, startClient, startGateway, startPod } from "../../src/gateway/testing.ts";
import { KNOWN_REQUESTS, KNOWN_RESPONSES } from "./known-cases.ts";

const podAt = (port: number) => ({ id: "p", slot: 0, address: "127.0.0.1", port, state: "ready" as const });

/** An application that answers each request with what it understood. */
async function startEcho() {
  const seen: string[] = [];
  const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
    let body = "";
    for await (const bytes of incoming) body += (bytes as Buffer).toString("latin1");
    return body;
  };
  const server = createServer((incoming, response) => {
    void bodyOf(incoming).then((body) => {
      seen.push(`${incoming.url} ${body}`);
      response.end("understood");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    seen,
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

for (const { name, why, text, want } of KNOWN_REQUESTS) {
  test(`requests: ${name} (${why})`, async () => {
    await using gateway = await startGateway();
    await using echo = await startEcho();
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podAt(echo.port)] })] });
    using client = await startClient(gateway.gateway.port);
    client.send(`${text}${request("/next")}`);
    if (typeof want === "number") {
      const answer = await client.closed();
      assert.ok(answer.startsWith(`HTTP/1.1 ${want} `), answer);
      assert.match(answer, /Connection: close\r\n/);
      assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, "what came behind is not a request");
      assert.deepEqual(echo.seen, []);
    } else {
      await client.until((received) => received.match(/understood/g)?.length === 2);
      assert.deepEqual(echo.seen, [`${want.target} ${want.body}`, "/next "]);
    }
  });
}

for (const { name, why, text, body } of KNOWN_RESPONSES) {
  test(`responses: ${name} (${why})`, async () => {
    await using gateway = await startGateway();
    await using pod = await startPod(answering((head) => (head.startsWith("GET /first") ? text : ok("second"))));
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods: [podAt(pod.port)] })] });
    using client = await startClient(gateway.gateway.port);
    client.send(request("/first") + request("/second"));
    const answer = await client.until((received) => received.endsWith("second"));
    assert.ok(!answer.includes("poison"), answer);
    if (body === undefined) assert.match(answer, /^HTTP\/1\.1 502 [^]*malformed HTTP response\nHTTP\/1\.1 200 OK\r\nContent-Length: 6\r\n\r\nsecond$/);
    else assert.doesNotMatch(answer, /502/);
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 2);
    assert.ok(!/content-length[^]*transfer-encoding/i.test(answer.slice(0, answer.indexOf("\r\n\r\n"))), "both length and coding reach the client");
  });
}
