// The platform's end of the keeper's socket against a keeper of a few lines.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import { decodeCall, encodeLine, LineSplitter, type KeeperCall, type KeeperLine, type ProcessSpec } from "#protocol";
import { connectKeeper } from "./keeper-client.ts";

/** A connection to a keeper that answers each call with what `answer` makes of it, and closes for lines that are too long. */
async function connected(t: TestContext, answer: (call: KeeperCall) => KeeperLine) {
  const dataDir = mkdtempSync(join(tmpdir(), "eider-keeper-client-"));
  const server = createServer((socket) => {
    const lines = new LineSplitter();
    socket.on("error", () => undefined);
    socket.on("data", (chunk: Buffer) => {
      try {
        for (const line of lines.push(chunk)) socket.write(encodeLine(answer(decodeCall(line) as KeeperCall)));
      } catch {
        socket.destroy();
      }
    });
  });
  await new Promise<void>((resolve) => server.listen({ path: join(dataDir, "keeper.sock") }, resolve));
  const keeper = await connectKeeper({ dataDir, clock: new SimClock(), logger: silentLogger }, new AbortController().signal);
  t.after(() => {
    keeper.close();
    server.close();
    rmSync(dataDir, { recursive: true });
  });
  return keeper;
}

const process1: ProcessSpec = { id: "p/app", argv: ["/bin/true"], env: {}, cwd: "/", outputFile: "/dev/null", outputBytesMax: 1 };

test("a start with an environment that no line can hold is refused alone: the connection goes on", async (t) => {
  const keeper = await connected(t, ({ id }) => ({ id, ok: true }));
  const large = keeper.call({ do: "start", process: { ...process1, env: { A: "x".repeat(1 << 20) } } });
  await assert.rejects(large, { name: "KeeperError", reason: "Refused", message: /environment are too large/ });
  assert.equal((await keeper.call({ do: "list" })).ok, true);
});

test("a list of all processes that a keeper may have is read", async (t) => {
  const identity = { bootId: "b".repeat(36), pid: 1, startTime: "1".repeat(10), uid: 0 };
  const processes = Array.from({ length: 10_000 }, (_, index) => ({ id: `${"u".repeat(36)}/container-${index}`, identity, running: true }));
  const keeper = await connected(t, ({ id, do: what }) => ({ id, ok: true, ...(what === "list" ? { processes } : {}) }));
  assert.equal((await keeper.call({ do: "list" })).processes?.length, 10_000);
});

test("a refusal and the loss of the connection reject what waits", async (t) => {
  const keeper = await connected(t, ({ id, do: what }) => (what === "hello" ? { id, ok: true } : { id, ok: false, error: "no" }));
  await assert.rejects(keeper.call({ do: "list" }), { reason: "Refused", message: "no" });
  const lost = keeper.call({ do: "list" });
  keeper.close();
  await assert.rejects(lost, { reason: "Gone" });
  await keeper.closed;
  await assert.rejects(keeper.call({ do: "list" }), { reason: "Gone" });
});
