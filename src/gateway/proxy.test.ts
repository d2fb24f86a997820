// The data path end to end on loopback: framing, keep-alive, streaming, upgrades.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { answering, ok, oneReadyPod, request, startClient, startGateway, startPod } from "./testing.ts";

test("requests on one client connection reuse one pod connection", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering((head) => ok(head.split(" ")[1] ?? "")));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  for (const path of ["/a", "/b", "/c"]) {
    client.send(request(path));
    await client.until((text) => text.endsWith(`\r\n\r\n${path}`));
  }
  assert.equal(pod.connections, 1);
});

test("pipelined requests are answered in their order", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering((head) => ok(head.split(" ")[1] ?? "")));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(["/1", "/2", "/nowhere", "/3"].map((path) => (path === "/nowhere" ? request(path).replace("app.test", "no.test") : request(path))).join(""));
  const text = await client.until((received) => received.includes("/3"));
  assert.deepEqual(text.match(/HTTP\/1\.1 \d+|\/[0-9]/g), ["HTTP/1.1 200", "/1", "HTTP/1.1 200", "/2", "HTTP/1.1 404", "HTTP/1.1 200", "/3"]);
});

test("the application sees the client's Host, forwarding headers and no header of Knative's hops", async () => {
  await using gateway = await startGateway();
  let seen = "";
  await using pod = await startPod(answering((head) => ((seen = head), ok(""))));
  const splits = [
    {
      backend: "ns/rev",
      percent: 100,
      appendHeaders: [
        ["Knative-Serving-Revision", "rev"],
        ["X-Tag", "split"],
      ] as const,
    },
  ];
  const paths = [{ prefix: "", headers: [], appendHeaders: [["x-tag", "path"]] as const, splits }];
  oneReadyPod(gateway, pod, { host: { paths } });
  using client = await startClient(gateway.gateway.port);
  const lines = [
    "Accept: */*",
    "X-Forwarded-For: 10.0.0.9",
    "X-TAG: mine",
    "Connection: keep-alive, X-Secret",
    "X-Secret: 1",
    "K-Network-Hash: x",
    "TE: trailers",
  ];
  client.send(`GET /x?y=1 HTTP/1.1\r\nHost: APP.test:8080\r\n${lines.join("\r\n")}\r\n\r\n`);
  await client.until((text) => text.includes("200 OK"));
  assert.equal(
    seen,
    "GET /x?y=1 HTTP/1.1\r\nHost: APP.test:8080\r\nAccept: */*\r\nX-Forwarded-For: 10.0.0.9, 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" +
      "Forwarded: for=10.0.0.9;proto=http, for=127.0.0.1\r\nTE: trailers\r\nX-Tag: split\r\n\r\n",
  );
});

test("a chunked response with trailers passes as it is and the connection stays", async () => {
  await using gateway = await startGateway();
  const body = "5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n";
  await using pod = await startPod(
    answering((head) => (head.startsWith("GET /chunks") ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}` : ok("next"))),
  );
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/chunks") + request("/next"));
  const text = await client.until((received) => received.endsWith("next"));
  assert.ok(text.startsWith(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${body}HTTP/1.1 200 OK\r\n`), text);
  assert.equal(pod.connections, 1);
});

test("HEAD, 204 and 304 have no body whatever their length says", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(
    answering((head) => {
      if (head.startsWith("HEAD")) return "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n";
      if (head.startsWith("GET /304")) return "HTTP/1.1 304 Not Modified\r\nContent-Length: 12\r\n\r\n";
      return head.startsWith("GET /204") ? "HTTP/1.1 204 No Content\r\n\r\n" : ok("end");
    }),
  );
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", [], "HEAD") + request("/304") + request("/204") + request("/last"));
  const text = await client.until((received) => received.endsWith("end"));
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 4);
  assert.equal(pod.connections, 1);
});

test("a response that ends with the connection closes the client's, too", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => socket.once("data", () => socket.end("HTTP/1.0 200 OK\r\n\r\nall of it")));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  assert.equal(await client.closed(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it");
});

test("an HTTP/1.0 client is answered without keep-alive unless it asks for it", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod(answering(() => ok("x")));
  oneReadyPod(gateway, pod);
  using plain = await startClient(gateway.gateway.port);
  plain.send("GET / HTTP/1.0\r\nHost: app.test\r\n\r\n");
  assert.match(await plain.closed(), /^HTTP\/1\.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx$/);
  using kept = await startClient(gateway.gateway.port);
  const text = "GET / HTTP/1.0\r\nHost: app.test\r\nConnection: keep-alive\r\n\r\n";
  kept.send(text + text);
  assert.match(await kept.until((received) => (received.match(/200 OK/g)?.length ?? 0) === 2), /Connection: keep-alive/);
});

for (const coding of ["length", "chunked"] as const) {
  test(`3 MB go up by ${coding} through a pod that reads slowly`, async () => {
    await using gateway = await startGateway();
    const size = 3 << 20;
    const part = Buffer.alloc(1 << 16, "u");
    const framed = coding === "length" ? part : Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
    const whole = coding === "length" ? size : (size / part.length) * framed.length + 5;
    let got = 0;
    await using pod = await startPod((socket) => {
      let head = "";
      socket.on("data", (bytes: Buffer) => {
        const before = head.includes("\r\n\r\n");
        if (!before) head += bytes.toString("latin1");
        got += before ? bytes.length : head.length - Math.max(0, head.indexOf("\r\n\r\n") + 4);
        if (!before && !head.includes("\r\n\r\n")) got = 0;
        socket.pause();
        setImmediate(() => socket.resume());
        if (got === whole) socket.write(ok("done"));
      });
    });
    oneReadyPod(gateway, pod);
    using client = await startClient(gateway.gateway.port);
    client.send(request("/up", [coding === "length" ? `Content-Length: ${size}` : "Transfer-Encoding: chunked"], "POST"));
    for (let sent = 0; sent < size; sent += part.length) if (!client.socket.write(framed)) await once(client.socket, "drain");
    if (coding === "chunked") client.send("0\r\n\r\n");
    await client.until((text) => text.includes("done"));
    assert.equal(got, whole);
  });
}

test("1 MB comes down whole through a client that reads slowly, and the connections stay", async () => {
  await using gateway = await startGateway();
  const body = "0123456789abcdef".repeat(1 << 16);
  await using pod = await startPod(answering(() => ok(body)));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  for (let turn = 1; turn <= 2; turn++) {
    client.socket.pause();
    client.send(request("/down"));
    await once(client.socket, "readable").catch(() => undefined);
    client.socket.resume();
    const text = await client.until((received) => received.length >= turn * (body.length + 40));
    assert.ok(text.endsWith(`\r\n\r\n${body}`));
  }
  assert.equal(pod.connections, 1);
});

test("a websocket upgrade becomes a relay of bytes in both directions until one side closes", async () => {
  await using gateway = await startGateway();
  let head = "";
  await using pod = await startPod((socket) => {
    socket.once("data", (bytes: Buffer) => {
      head = bytes.toString("latin1");
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst;");
      socket.on("data", (more: Buffer) => (more.toString().includes("bye") ? socket.end("ended") : socket.write(`echo ${more.toString()};`)));
    });
  });
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/ws", ["Connection: keep-alive, Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: k"]));
  await client.until((text) => text.endsWith("first;"));
  client.send("one");
  await client.until((text) => text.endsWith("echo one;"));
  client.send("bye");
  assert.match(await client.closed(), /101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nfirst;echo one;ended$/);
  assert.match(head, /Connection: Upgrade\r\nUpgrade: websocket\r\n/);
});

test("Expect: 100-continue is the application's to answer", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => {
    let text = "";
    socket.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
      if (text.endsWith("\r\n\r\n")) socket.write("HTTP/1.1 100 Continue\r\n\r\n");
      if (text.endsWith("body")) socket.write(ok("thanks"));
    });
  });
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/", ["Expect: 100-continue", "Content-Length: 4"], "POST"));
  await client.until((text) => text === "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("body");
  await client.until((text) => text.endsWith("thanks"));
});

test("a kept connection that the pod closed is replaced without the client's notice, for methods that may be repeated", async () => {
  await using gateway = await startGateway();
  let served = 0;
  await using pod = await startPod((socket) => {
    let first = true;
    socket.on("data", () => {
      served++;
      // The second request on a connection meets a pod that has just given the connection up.
      if (first) socket.write(ok("fine"));
      else socket.resetAndDestroy();
      first = false;
    });
  });
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/1"));
  await client.until((text) => text.endsWith("fine"));
  client.send(request("/2"));
  await client.until((text) => text.match(/fine/g)?.length === 2);
  client.send(request("/3", ["Content-Length: 1"], "POST") + "x");
  assert.match(
    await client.until((text) => text.includes("502")),
    /502 Bad Gateway\r\nContent-Type: text\/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\n/,
  );
  assert.equal(served, 4);
});

test("a response cut short ends the client's connection, so that it is not taken for whole", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart")));
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.send(request("/"));
  assert.match(await client.closed(), /\r\n\r\npart$/);
});

test("the head of a request or response may arrive octet by octet", async () => {
  await using gateway = await startGateway();
  await using pod = await startPod((socket) => {
    socket.setNoDelay(true);
    const answerSlowly = async (): Promise<void> => {
      for (const octet of ok("slow")) {
        socket.write(octet);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    socket.once("data", () => void answerSlowly());
  });
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  for (const octet of request("/")) {
    client.send(octet);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await client.until((text) => text === "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow");
});

test("a client that does not read stops the pod: memory does not grow with the body", async () => {
  await using gateway = await startGateway();
  const size = 48 << 20;
  await using pod = await startPod((socket) => {
    socket.once("data", () => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      for (let sent = 0; sent < size; sent += 1 << 20) socket.write(Buffer.alloc(1 << 20));
    });
  });
  oneReadyPod(gateway, pod);
  using client = await startClient(gateway.gateway.port);
  client.socket.pause();
  client.send(request("/"));
  for (let turn = 0; turn < 3000; turn++) await new Promise((resolve) => setImmediate(resolve));
  const [socket] = pod.sockets;
  assert.ok((socket?.writableLength ?? 0) > size / 4, `the gateway took all but ${socket?.writableLength} octets`);
});
