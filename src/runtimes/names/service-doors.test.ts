// Doors at the addresses of Services, on addresses of the loopback.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { SeededRng, silentLogger } from "#core";
import type { CoreService, EndpointSlice } from "#kinds";
import { ServiceBook } from "./service-book.ts";
import { ServiceDoors } from "./service-doors.ts";

const LOOPBACK = "127.0.0.1";

/** Says a word, then what it hears. */
async function endpoint(t: TestContext, word: string): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => socket.on("error", () => undefined).write(word) && socket.pipe(socket)).listen(0, LOOPBACK);
  await once(server, "listening");
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK);
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Everything that comes when one says "x" and no more; "" for a reset. */
function heard(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString()));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? ""));
    socket.on("end", () => socket.end(() => resolve(text)));
    socket.end("x");
  });
}

function world(t: TestContext, { enters = true, max = 10 } = {}) {
  const book = new ServiceBook();
  const doors = new ServiceDoors(
    {
      book,
      isOurs: (address) => address.startsWith("127."),
      mayEnter: () => enters,
      fixed: new Map([["default/api", { ports: [1], to: { host: LOOPBACK, port: 2 } }]]),
      rng: new SeededRng(1),
      logger: silentLogger,
    },
    max,
  );
  t.after(() => doors.close());
  return {
    doors,
    set(name: string, clusterIP: string, port: number, targets: readonly number[]): void {
      book.setService(`default/${name}`, {
        metadata: { name, namespace: "default" },
        spec: { clusterIP, ports: [{ name: "p", port }] },
      } as unknown as CoreService);
      targets.forEach((target, index) =>
        book.setSlice(`default/${name}-${index}`, {
          metadata: { name, namespace: "default", labels: { "kubernetes.io/service-name": name } },
          endpoints: [{ addresses: [LOOPBACK] }],
          ports: [{ name: "p", port: target }],
        } as unknown as EndpointSlice),
      );
    },
  };
}

test("a connection goes to an endpoint, to its end on both sides; one that refuses is passed over", async (t) => {
  const { doors, set } = world(t);
  const port = await freePort();
  set("s", "127.0.0.21", port, [await endpoint(t, "one "), await freePort(), await freePort()]);
  await doors.open("default/s");
  for (let times = 0; times < 8; times++) assert.equal(await heard("127.0.0.21", port), "one x");
});

test("a Service without endpoints, and somebody who may not enter, see a reset", async (t) => {
  const empty = world(t);
  const port = await freePort();
  empty.set("s", "127.0.0.22", port, []);
  await empty.doors.open("default/s");
  assert.equal(await heard("127.0.0.22", port), "ECONNRESET");
  const closed = world(t, { enters: false });
  closed.set("s", "127.0.0.23", port, [await endpoint(t, "one ")]);
  await closed.doors.open("default/s");
  assert.equal(await heard("127.0.0.23", port), "ECONNRESET");
});

test("doors follow their Service, stay with what is as it was, and the oldest gives way", async (t) => {
  const { doors, set } = world(t, { max: 2 });
  const [port, other, target] = [await freePort(), await freePort(), await endpoint(t, "one ")];
  set("s", "127.0.0.24", port, [target]);
  await doors.changed("default/s");
  assert.equal(await heard("127.0.0.24", port), "one x");
  set("s", "127.0.0.24", other, [target]);
  await doors.changed("default/s");
  assert.deepEqual([await heard("127.0.0.24", port), await heard("127.0.0.24", other)], ["ECONNREFUSED", "one x"]);
  set("s2", "127.0.0.25", port, [target]);
  set("s3", "127.0.0.26", port, [target]);
  await Promise.all([doors.open("default/s2"), doors.open("default/s3")]);
  assert.deepEqual([doors.size, await heard("127.0.0.24", other), await heard("127.0.0.26", port)], [2, "ECONNREFUSED", "one x"]);
  doors.shut("default/s3");
  assert.equal(await heard("127.0.0.26", port), "ECONNREFUSED");
});

test("addresses that are not this platform's get no doors", async (t) => {
  const { doors, set } = world(t);
  set("s", "192.0.2.7", 80, []);
  await doors.open("default/s");
  assert.equal(doors.size, 0);
});
