import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createJsonLogger } from "./json-logger.ts";

const folder = mkdtempSync(join(tmpdir(), "eider-log-"));
after(() => rmSync(folder, { recursive: true }));

test("lines are JSON with level, name and fields; the file is the owner's and has a limit", () => {
  const path = join(folder, "a.log");
  const logger = createJsonLogger({ path, level: "info", name: "a", bytesMax: 1_000 }).with({ room: "store" });
  logger.debug("not written");
  logger.info("first", { key: "ns/x" });
  const line = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  assert.deepEqual(
    { level: line["level"], name: line["name"], room: line["room"], key: line["key"], msg: line["msg"] },
    { level: "info", name: "a", room: "store", key: "ns/x", msg: "first" },
  );
  assert.equal(statSync(path).mode & 0o777, 0o600);
  for (let i = 0; i < 50; i++) logger.warn("more", { err: new Error("with a stack") });
  logger.info("last");
  assert.match(readFileSync(path, "utf8"), /"last"/);
  assert.ok(statSync(path).size + statSync(`${path}.1`).size < 5_000, "at most two files of about the limit");
});

test("a logger goes on in the file of the one before", () => {
  const path = join(folder, "b.log");
  createJsonLogger({ path, level: "info", name: "b" }).info("one");
  createJsonLogger({ path, level: "info", name: "b" }).info("two");
  assert.equal(readFileSync(path, "utf8").split("\n").length, 3);
});
