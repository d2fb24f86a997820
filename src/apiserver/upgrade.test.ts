// Connections that are taken over, over TLS on loopback: the 101, bytes on both sides of it, refusals, the limit, the end of the server.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { ask, fixture, KINDS } from "./fixture.test-suite.ts";
import { identities } from "./identities.test-suite.ts";
import type { ServedKind } from "./index.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const TAKEN_MAX = 3;

/** Sends back what comes; refuses GET. */
async function echo(connection: Duplex): Promise<void> {
  connection.pipe(connection);
  await once(connection, "close").catch(() => undefined);
}

async function world(t: TestContext) {
  const { tls, ca } = await identities();
  const taken: Duplex[] = [];
  const shell: NonNullable<ServedKind["subresources"]>[string] = {
    verbs: ["get", "create"],
    async handle({ verb }) {
      if (verb === "get") return { status: 418, headers: { "content-type": "text/plain" }, body: "no shell" };
      const takeOver = (connection: Duplex): Promise<void> => {
        taken.push(connection);
        return echo(connection);
      };
      return { status: 101, headers: { connection: "Upgrade", upgrade: "echo" }, body: "", takeOver };
    },
  };
  const kinds = KINDS.map((served): ServedKind => (served.kind.plural === "configmaps" ? { ...served, subresources: { shell } } : served));
  const { server, clock } = await fixture({ kinds });
  await ask(server, `POST ${MAPS}`, { metadata: { name: "m" } });
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls, takenOverMax: TAKEN_MAX });
  const open = async (): Promise<TLSSocket> => {
    const socket = connect({ host: "127.0.0.1", port: listening.port, ca, ALPNProtocols: ["http/1.1"] });
    t.after(() => socket.destroy());
    await once(socket, "secureConnect");
    return socket;
  };
  let closed: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    closed ??= listening.close();
    await clock.advance(1_000);
    await closed;
  };
  t.after(close);
  return { open, close, taken };
}

const head = (method: string, token = "good", upgrade = "echo"): string =>
  `${method} ${MAPS}/m/shell HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nConnection: Upgrade\r\nUpgrade: ${upgrade}\r\nContent-Length: 0\r\n\r\n`;

/** Everything until the other side ends, or until `wanted` is part of it. */
function read(socket: TLSSocket, wanted?: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const onData = (chunk: Buffer): void => {
      text += chunk.toString();
      if (wanted === undefined || !text.includes(wanted)) return;
      socket.off("data", onData);
      resolve(text);
    };
    socket.on("data", onData);
    socket.once("close", () => resolve(text));
  });
}

test("the 101, then bytes in both directions, also those that came with the request", async (t) => {
  const { open } = await world(t);
  const socket = await open();
  socket.write(`${head("POST")}early`);
  assert.equal(await read(socket, "early"), "HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: echo\r\n\r\nearly");
  socket.write("later");
  assert.equal(await read(socket, "later"), "later");
});

test("refusals are whole answers, and the end of the connection", async (t) => {
  const { open, taken } = await world(t);
  for (const [method, token, status, body] of [
    ["GET", "good", "418 I'm a Teapot", "no shell"],
    ["POST", "bad", "401 Unauthorized", '"message":"Unauthorized"'],
  ] as const) {
    const socket = await open();
    socket.write(head(method, token));
    const text = await read(socket);
    assert.ok(text.startsWith(`HTTP/1.1 ${status}\r\n`), text);
    assert.ok(/^connection: close$/im.test(text) && text.includes(body), text);
  }
  assert.equal(taken.length, 0);
});

test("one connection too many is told to come back", async (t) => {
  const { open, taken } = await world(t);
  const sockets = await Promise.all(Array.from({ length: TAKEN_MAX }, open));
  await Promise.all(
    sockets.map((socket) => {
      socket.write(head("POST"));
      return read(socket, "upgrade: echo");
    }),
  );
  const late = await open();
  late.write(head("POST"));
  assert.match(await read(late), /^HTTP\/1\.1 429 Too Many Requests\r\n[\s\S]*the server has 3 open streams already/);
  assert.equal(taken.length, TAKEN_MAX);
});

test("the end of the server ends them", async (t) => {
  const { open, close, taken } = await world(t);
  const socket = await open();
  socket.write(head("POST"));
  await read(socket, "upgrade: echo");
  await Promise.all([once(socket, "close"), close()]);
  assert.equal(taken[0]?.destroyed, true);
});
