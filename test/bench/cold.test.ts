// The bare start that cold starts are compared with leaves nothing, however it ends.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { test, type TestContext } from "node:test";
import { freePort, spawnToAnswer } from "./cold.ts";

/** Tells that it is there, and again when it is asked; serves on PORT where it has one. */
const PROGRAM = `
  const socket = require("node:net").connect(Number(process.env.TEST), "127.0.0.1", () => socket.write("here"));
  socket.on("data", () => socket.write("still here"));
  if (process.env.SERVES) require("node:http").createServer((_, response) => response.end()).listen(process.env.PORT, "127.0.0.1");
`;

/** A program that starts another one and waits for it, as bwrap and runc do; what the other one has to say. */
async function started(t: TestContext, { serves, signal }: { readonly serves: string; readonly signal: AbortSignal }) {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const argv = ["/bin/sh", "-c", '"$0" -e "$1" & wait', process.execPath, PROGRAM];
  const env = { TEST: String((server.address() as AddressInfo).port), SERVES: serves };
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const answered = spawnToAnswer({ argv, env, cwd: "/", uid, gid }, await freePort(), signal);
  answered.catch(() => undefined);
  const [socket] = (await once(server, "connection")) as [Socket];
  socket.on("error", () => undefined);
  await once(socket, "data");
  return { answered, socket };
}

/** What is gone answers nothing. */
async function isThere(socket: Socket): Promise<boolean> {
  const answer = Promise.withResolvers<boolean>();
  socket.once("data", () => answer.resolve(true)).once("close", () => answer.resolve(false));
  if (socket.destroyed) answer.resolve(false);
  else socket.write("?");
  const there = await answer.promise;
  // The test's end is its end, too.
  socket.destroy();
  return there;
}

test("what the program started ends with it once it has answered", async (t) => {
  const { answered, socket } = await started(t, { serves: "yes", signal: t.signal });
  assert.ok((await answered) > 0);
  assert.equal(await isThere(socket), false);
});

test("a start that is given up ends what it started at once", async (t) => {
  const ending = new AbortController();
  const { answered, socket } = await started(t, { serves: "", signal: ending.signal });
  ending.abort();
  await assert.rejects(answered, { name: "AbortError" });
  assert.equal(await isThere(socket), false);
});
