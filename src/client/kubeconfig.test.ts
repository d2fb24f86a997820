// Kubeconfig files: contexts, inline data, files beside them, and clear refusals.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isReason } from "#core";
import { loadKubeconfig, loadKubeconfigFile } from "./kubeconfig.ts";

const inline = (text: string): string => Buffer.from(text).toString("base64");
const CONFIG = `
current-context: main
contexts:
- {name: main, context: {cluster: here, user: me, namespace: team}}
- {name: bare, context: {cluster: plain}}
- {name: lost, context: {cluster: nowhere}}
clusters:
- {name: here, cluster: {server: "https://127.0.0.1:6443/", certificate-authority-data: ${inline("CA")}, tls-server-name: api}}
- {name: plain, cluster: {server: "http://127.0.0.1:8001", insecure-skip-tls-verify: true}}
users:
- {name: me, user: {client-certificate-data: ${inline("CERT")}, client-key: key.pem, tokenFile: token}}
`;

test("kubeconfig: the current context with inline data and files next to the kubeconfig", async () => {
  const folder = await mkdtemp(join(tmpdir(), "eider-kubeconfig-"));
  await writeFile(join(folder, "config"), CONFIG);
  await writeFile(join(folder, "key.pem"), "KEY");
  await writeFile(join(folder, "token"), "TOKEN\n");
  assert.deepEqual(await loadKubeconfigFile(join(folder, "config")), {
    server: "https://127.0.0.1:6443",
    ca: "CA",
    cert: "CERT",
    key: "KEY",
    token: "TOKEN",
    tokenFile: join(folder, "token"),
    tlsServerName: "api",
    namespace: "team",
  });
  await rm(folder, { recursive: true });
});

test("kubeconfig: another context by name, without a user", async () => {
  assert.deepEqual(await loadKubeconfig(CONFIG, { folder: "/", context: "bare" }), { server: "http://127.0.0.1:8001", insecure: true, namespace: "default" });
});

for (const [name, text, context] of [
  ["a context that is not there", CONFIG, "absent"],
  ["a cluster that is not there", CONFIG, "lost"],
  ["something that is not YAML", "a: [", undefined],
  ["an empty file", "", undefined],
] as const) {
  test(`kubeconfig: ${name} is a BadRequest`, async () => {
    await assert.rejects(loadKubeconfig(text, { folder: "/", ...(context === undefined ? {} : { context }) }), (error) => isReason(error, "BadRequest"));
  });
}

const WAYS = [
  {
    name: "a program that logs in",
    from: "client-key: key.pem",
    to: "exec: { command: aws }",
    text: /the user ".*" runs a program to log in \(exec\).*use a token/,
  },
  { name: "a password", from: "client-key: key.pem", to: "username: anna", text: /logs in with a password \(username\)/ },
] as const;
for (const { name, from, to, text } of WAYS) {
  test(`kubeconfig: ${name} is refused in so many words`, async () => {
    assert.ok(CONFIG.includes(from));
    await assert.rejects(loadKubeconfig(CONFIG.replace(from, to), { folder: "/" }), (error) => isReason(error, "BadRequest") && text.test(error.message));
  });
}
