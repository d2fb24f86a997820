// A registry on a disk that is full: a small file system in memory, mounted for the test. Skipped where nothing can be mounted.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { silentLogger } from "#core";
import { openImageStore, serveRegistry } from "#images";

const DISK_MB = 16;

/** Undefined when this user may not mount, or there is no tmpfs. */
function smallDisk(): string | undefined {
  const dir = mkdtempSync(join(tmpdir(), "eider-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MB}m`, "eider-test", dir], { stdio: "ignore" });
    return dir;
  } catch {
    rmSync(dir, { recursive: true });
    return undefined;
  }
}

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

function ask(port: number, line: string, body: Buffer | string = ""): Promise<Reply> {
  const [method = "", path = ""] = line.split(" ");
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, agent: false, headers: { "content-length": body.length } }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on("error", reject).end(body);
  });
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

const disk = smallDisk();
test(
  "on a full disk a push is refused in clear words, nothing is damaged, and it goes on once there is room",
  { skip: disk === undefined ? "no file system can be mounted" : false },
  async (t) => {
    const dir = disk ?? "";
    t.after(() => {
      execFileSync("umount", [dir]);
      rmSync(dir, { recursive: true });
    });
    const store = await openImageStore(join(dir, "images"));
    const registry = await serveRegistry({ store, at: { host: "127.0.0.1", port: 0 }, logger: silentLogger, changed: () => undefined });
    t.after(() => registry.close());
    const { port } = registry;
    const small = randomBytes(1 << 20);
    assert.equal((await ask(port, `POST /v2/a/blobs/uploads/?digest=${digestOf(small)}`, small)).status, 201);
    writeFileSync(join(dir, "filler"), Buffer.alloc(10 << 20));
    const large = randomBytes(8 << 20);
    const location = String((await ask(port, "POST /v2/a/blobs/uploads/")).headers["location"]);
    const refused = await ask(port, `PATCH ${location}`, large);
    assert.equal(refused.status, 507, refused.body);
    assert.match(refused.body, /no space is left on the disk.*eider image prune/);
    assert.equal((await ask(port, `GET ${location}`)).headers["range"], "0-0", "of a refused piece nothing stays");
    const whole = await ask(port, `POST /v2/a/blobs/uploads/?digest=${digestOf(large)}`, large);
    assert.equal(whole.status, 507);
    await assert.rejects(
      store.putBlobStream({ digest: digestOf(large) }, async () => (await import("node:stream")).Readable.from([large], { objectMode: false })),
      { reason: "NoSpace" },
    );
    assert.deepEqual(readdirSync(join(dir, "images/blobs/sha256")), [digestOf(small).slice("sha256:".length)]);
    assert.equal((await ask(port, `GET /v2/a/blobs/${digestOf(small)}`)).status, 200);
    rmSync(join(dir, "filler"));
    assert.equal((await ask(port, `PUT ${location}?digest=${digestOf(large)}`, large)).status, 201);
    const free = statfsSync(dir);
    assert.ok(free.bfree * free.bsize > 5 << 20, "nothing but the two blobs lies there");
  },
);
