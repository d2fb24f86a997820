// Hostile clients on real sockets: nothing crashes, nothing is framed in two ways.
import assert from "node:assert/strict";
import { test } from "node:test";
import { below, SeededRng, type Rng } from "#core";
import { answering, backendEntry, hostEntry, ok, request, startClient, startGateway, startPod, type TestClient } from "./testing.ts";

const refusals: readonly { name: string; text: string; want: RegExp }[] = [
  {
    name: "length and chunks",
    text: "POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG",
    want: /^HTTP\/1\.1 400 Bad Request\r\n/,
  },
  { name: "a bare LF head", text: "GET / HTTP/1.1\nHost: app.test\n\n", want: /^HTTP\/1\.1 400 / },
  { name: "a head without end", text: `GET / HTTP/1.1\r\nX: ${"a".repeat(70_000)}`, want: /^HTTP\/1\.1 431 / },
  { name: "a bad chunk", text: "POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", want: /^HTTP\/1\.1 400 / },
  { name: "HTTP/2", text: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", want: /^HTTP\/1\.1 505 / },
];
for (const { name, text, want } of refusals) {
  test(`refused and closed: ${name}`, async () => {
    await using gateway = await startGateway();
    let asked = 0;
    await using pod = await startPod(answering(() => (asked++, ok("x"))));
    const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
    gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
    using client = await startClient(gateway.gateway.port);
    client.send(`${text}${request("/smuggled")}`);
    const answer = await client.closed();
    assert.match(answer, want);
    assert.match(answer, /Connection: close\r\n/);
    assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1, "what came behind is not a request");
    assert.equal(asked, 0);
  });
}

async function sendInPieces(client: { socket: { write(bytes: Buffer): unknown } }, bytes: Buffer, rng: Rng): Promise<void> {
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + 1 + below(rng, 60));
    client.socket.write(bytes.subarray(from, to));
    from = to;
    if (below(rng, 3) === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

test("however a stream of requests is cut, the application gets the same requests and the client the same answers", async () => {
  await using gateway = await startGateway();
  // Answers each request with what it understood: target and body.
  await using pod = await startPod((socket) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      for (;;) {
        const match = /^(\w+) (\S+) [^]*?\r\n\r\n/.exec(text);
        if (match === null) return;
        const chunked = /transfer-encoding: chunked/i.test(match[0]);
        const length = Number(/content-length: (\d+)/i.exec(match[0])?.[1] ?? 0);
        const rest = text.slice(match[0].length);
        const end = chunked ? rest.indexOf("0\r\n\r\n") + 5 : length;
        if (rest.length < end || (chunked && end === 4)) return;
        socket.write(ok(`[${match[2]} ${rest.slice(0, end)}]`), "latin1");
        text = rest.slice(end);
      }
    });
  });
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
  const stream = Array.from({ length: 12 }, (_, index) => {
    if (index % 3 === 0) return request(`/${index}`);
    if (index % 3 === 1) return `${request(`/${index}`, ["Content-Length: 6"], "POST")}body-${index % 10}`;
    return `${request(`/${index}`, ["Transfer-Encoding: chunked"], "PUT")}3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n`;
  }).join("");
  let whole: string | undefined;
  for (let seed = 0; seed < 12; seed++) {
    using client = await startClient(gateway.gateway.port);
    if (seed === 0) client.send(stream);
    else await sendInPieces(client, Buffer.from(stream, "latin1"), new SeededRng(seed));
    const text = await client.until((received) => received.match(/200 OK/g)?.length === 12 && received.endsWith("]"));
    whole ??= text;
    assert.equal(text, whole, `seed ${seed}`);
  }
});

test("random octets never harm anybody but their sender", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("fine")));
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
  const pieces = [
    "GET / HTTP/1.1\r\n",
    "Host: app.test\r\n",
    "\r\n",
    "\n",
    "POST ",
    "Content-Length: 3\r\n",
    "Transfer-Encoding: chunked\r\n",
    "0\r\n\r\n",
    "\0",
    "abc",
    "ff\r\n",
    "Connection: Upgrade\r\n",
  ];
  const rng = new SeededRng(11);
  for (let round = 0; round < 60; round++) {
    using client = await startClient(gateway.gateway.port);
    const text = Array.from({ length: 1 + below(rng, 20) }, () => pieces[below(rng, pieces.length)] ?? "").join("");
    const noise = Buffer.from(Array.from({ length: 20 }, () => below(rng, 256)));
    await sendInPieces(client, below(rng, 4) === 0 ? noise : Buffer.from(text, "latin1"), rng);
  }
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  await client.until((text) => text.endsWith("fine"));
});

test("a pod that answers nonsense gives 502, and what it sends unasked reaches nobody", async () => {
  await using gateway = await startGateway();
  const answers = [
    "nonsense\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    `${ok("right")}HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison`,
  ];
  await using pod = await startPod(answering(() => answers.shift() ?? ok("last")));
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/1"));
  await client.until((text) => text.endsWith("malformed HTTP response\n"));
  client.send(request("/2"));
  await client.until((text) => text.match(/malformed/g)?.length === 2);
  client.send(request("/3") + request("/4"));
  const text = await client.until((received) => received.endsWith("last"));
  assert.ok(text.includes("right") && !text.includes("poison"));
});

test("a client that sends requests and reads no answers is not answered without limit", async () => {
  await using gateway = await startGateway();
  gateway.routes({ hosts: [] });
  using client = await startClient(gateway.gateway.port);
  client.socket.pause();
  const many = Buffer.from(request("/").repeat(2_000), "latin1");
  // The gateway stops reading once the kernel takes no more answers; then this client's own writes are stuck, too.
  let sent = 0;
  while (client.socket.write(many) || (await drainedSoon(client))) {
    sent += many.length;
    assert.ok(sent < 32 << 20, "the gateway took every request");
  }
  client.socket.resume();
  await client.until((text) => text.length > 1 << 20);
});

/** False when the peer took nothing for a while of the loop's turns. */
async function drainedSoon(client: TestClient): Promise<boolean> {
  for (let turn = 0; turn < 20_000 && client.socket.writableNeedDrain; turn++) await new Promise((resolve) => setImmediate(resolve));
  return !client.socket.writableNeedDrain;
}

test("informational responses without end are no response", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000)));
  const pods = [{ id: "p", slot: 0, address: "127.0.0.1", port: pod.port, state: "ready" as const }];
  gateway.routes({ hosts: [hostEntry()], backends: [backendEntry({ pods })] });
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  const text = await client.until((received) => received.includes("malformed HTTP response"));
  assert.ok((text.match(/103 Early/g)?.length ?? 0) <= 100);
});
