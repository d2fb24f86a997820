// The conformance suite of the OCI Distribution Specification against the registry's own listener, on an empty store.
// OCI_CONFORMANCE names its compiled program (module github.com/opencontainers/distribution-spec/conformance).
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { openImageStore, serveRegistry } from "#images";
import { ran } from "../e2e/platform.ts";

const program = process.env["OCI_CONFORMANCE"] ?? "";

/** `  Pass..........................:        984`, by name. */
function tallyOf(text: string): ReadonlyMap<string, number> {
  return new Map([...text.matchAll(/^ {2}(\w+)\.+: +(\d+)$/gm)].map(([, name = "", count]) => [name, Number(count)]));
}

/** `dev` is the published 1.1 (`stable`), and uploads that are cancelled, digests in headers, tags as parameters. */
test("OCI distribution conformance: pull, push, content discovery, content management", { skip: program === "" ? "no OCI_CONFORMANCE" : false }, async (t) => {
  const { code, stdout, stderr } = await conformance(t, "dev", false);
  const tally = tallyOf(stdout);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  assert.ok((tally.get("Pass") ?? 0) > 900, stdout);
  assert.deepEqual(
    ["FAIL", "Error", "Skip", "Disabled"].map((name) => tally.get(name)),
    [0, 0, 0, 0],
    stdout,
  );
  const off = [...stdout.matchAll(/^ {2}([\w ]+?)\.*: +Disabled$/gm)].map((match) => match[1] ?? "");
  // Manifests of which parts are missing: the specification lets a registry refuse them, and ours does.
  assert.deepEqual(off, ["Sparse Manifests"]);
});

test("the suite complains about a registry that deletes nothing", { skip: program === "" ? "no OCI_CONFORMANCE" : false }, async (t) => {
  const { code, stdout } = await conformance(t, "stable", true);
  assert.notEqual(code, 0);
  assert.ok((tallyOf(stdout).get("FAIL") ?? 0) > 0, stdout);
});

async function conformance(t: TestContext, version: string, deaf: boolean): ReturnType<typeof ran> {
  const dir = mkdtempSync(join(tmpdir(), "eider-conformance-"));
  const store = await openImageStore(join(dir, "images"));
  // The planted fault: deletes are answered and not done.
  if (deaf) store.repositories.unlink = async () => true;
  const registry = await serveRegistry({ store, at: { host: "127.0.0.1", port: 0 }, logger: silentLogger, changed: () => undefined });
  t.after(async () => {
    await registry.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const env = { ...process.env, OCI_REGISTRY: `127.0.0.1:${registry.port}`, OCI_TLS: "disabled", OCI_VERSION: version, OCI_RESULTS_DIR: dir };
  return ran(program, [], env, dir);
}
