// Processes between FIFOs: input, output and errors apart, their ends, and no waiting for a platform that is gone.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger, SimClock } from "#core";
import type { ProcessExit } from "#protocol";
import { ProcessRecords } from "./process-records.ts";
import { Processes } from "./processes.ts";

const { O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants;

function world(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "eider-stdio-"));
  const exit = Promise.withResolvers<ProcessExit | null>();
  const records = new ProcessRecords(join(dir, "processes"));
  const processes = new Processes({ records, clock: new SimClock(), logger: silentLogger, onExit: (_id, how) => exit.resolve(how) });
  t.after(() => {
    for (const { id, running } of processes.list()) if (running) processes.signal(id, "SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  });
  const fifo = (name: string): string => {
    execFileSync("mkfifo", [join(dir, name)]);
    return join(dir, name);
  };
  const spec = (script: string, outputFile: string) => ({
    id: "u/c/exec-1",
    argv: ["/bin/sh", "-c", script],
    env: { PATH: "/usr/bin:/bin" },
    cwd: dir,
    outputFile,
    outputBytesMax: 1 << 20,
  });
  return { dir, processes, exit: exit.promise, fifo, spec };
}

function reader(path: string) {
  const socket = new Socket({ fd: openSync(path, O_RDONLY | O_NONBLOCK), readable: true, writable: false });
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const all = new Promise<string>((resolve) => socket.once("end", () => resolve(text)));
  return { all };
}

test("three FIFOs: what goes in, comes out and goes wrong", async (t) => {
  const { processes, exit, fifo, spec } = world(t);
  const [input, output, errors] = [fifo("in"), fifo("out"), fifo("err")];
  const [out, err] = [reader(output), reader(errors)];
  const both = openSync(input, O_RDWR | O_NONBLOCK);
  await processes.start({
    ...spec("read line; echo got $line; cat; echo wrong >&2; echo again > /dev/stdout; exit 4", output),
    errorFifo: errors,
    input: { fifo: input, endless: false },
  });
  const ours = openSync(input, O_WRONLY | O_NONBLOCK);
  closeSync(both);
  writeSync(ours, "first\nsecond\n");
  closeSync(ours);
  assert.deepEqual([await out.all, await err.all], ["got first\nsecond\nagain\n", "wrong\n"]);
  assert.equal((await exit)?.code, 4);
});

test("an endless input has no end when its writer goes", async (t) => {
  const { processes, exit, fifo, spec, dir } = world(t);
  const input = fifo("in");
  const output = join(dir, "out.log");
  await processes.start({ ...spec("read a; echo $a; read b; echo $b; exit 0", output), input: { fifo: input, endless: true } });
  for (const line of ["one\n", "two\n"]) {
    const fd = openSync(input, O_WRONLY | O_NONBLOCK);
    writeSync(fd, line);
    closeSync(fd);
  }
  assert.equal((await exit)?.code, 0);
  assert.equal(readFileSync(output, "utf8"), "one\ntwo\n");
});

test("nobody reads and nobody writes: the process starts all the same, with nothing to read and a broken pipe", async (t) => {
  const { processes, exit, fifo, spec } = world(t);
  await processes.start({ ...spec("cat; yes", fifo("out")), input: { fifo: fifo("in"), endless: false } });
  const how = await exit;
  assert.ok(how?.signal === "SIGPIPE" || how?.code === 141, JSON.stringify(how));
});

test("a FIFO that is not there refuses the start", async (t) => {
  const { processes, spec, dir } = world(t);
  assert.throws(() => processes.start({ ...spec("true", join(dir, "out.log")), input: { fifo: join(dir, "none"), endless: false } }), { name: "ProcessError" });
  assert.deepEqual(processes.list(), []);
});
