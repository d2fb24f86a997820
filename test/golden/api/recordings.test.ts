// Every answer in golden/kubernetes-api is equal, or skipped by name with its reason; and a wrong one is found.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { checkResponses, type FileResult } from "./check.ts";
import { REQUESTS } from "./requests.ts";

const folder = resolve(import.meta.dirname, "../kubernetes-api");

async function all(of: string): Promise<ReadonlyMap<string, FileResult>> {
  const results = new Map<string, FileResult>();
  for await (const result of checkResponses(of)) results.set(result.name, result);
  return results;
}

test("every recorded answer is equal or skipped with a reason", async (t) => {
  const results = await all(folder);
  assert.ok(results.size >= 70, `${results.size} files`);
  assert.deepEqual(
    Object.keys(REQUESTS).filter((name) => !results.has(name)),
    [],
  );
  for (const { name, verdict, text } of results.values()) {
    await t.test(`${name}: ${verdict}${verdict === "skipped" ? `: ${text}` : ""}`, () => {
      assert.notEqual(verdict, "differs", text);
    });
  }
});

test("planted fault: a changed message, header or event differs, and so does a file of which nobody knows the request", async () => {
  const copy = mkdtempSync(join(tmpdir(), "eider-golden-"));
  try {
    for (const name of ["err-404.json", "err-405.json", "watch-json-rv.jsonl", "ok-201-cm.json"]) {
      for (const file of [name, `${name}.headers`]) cpSync(join(folder, file), join(copy, file));
    }
    const change = (file: string, from: string, to: string): void => {
      const path = join(copy, file);
      const text = readFileSync(path, "utf8");
      assert.ok(text.includes(from));
      writeFileSync(path, text.replace(from, to));
    };
    change("err-404.json", "not found", "not here");
    change("err-405.json.headers", "application/json", "text/plain");
    change("watch-json-rv.jsonl", '"DELETED"', '"MODIFIED"');
    for (const end of ["", ".headers"]) cpSync(join(folder, `err-401.json${end}`), join(copy, `unknown.json${end}`));
    const results = await all(copy);
    assert.deepEqual(
      [...results.values()].map(({ name, verdict }) => `${name} ${verdict}`),
      ["err-404.json differs", "err-405.json differs", "ok-201-cm.json equal", "unknown.json differs", "watch-json-rv.jsonl differs"],
    );
  } finally {
    rmSync(copy, { recursive: true });
  }
});
