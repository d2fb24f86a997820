// The kubeconfig that `up` writes: our CA, the admin's token, one context.
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";

/** The admin's token, made once and kept (0600). */
export function adminToken(pkiDir: string, draw: () => string): string {
  const file = join(pkiDir, "admin.token");
  if (!existsSync(file)) replace(file, draw());
  return readFileSync(file, "utf8");
}

export function writeKubeconfig(path: string, access: { readonly server: string; readonly caPem: string; readonly token: string }): void {
  const named = (kind: string, value: object): object => ({ name: "eider", [kind]: value });
  const text = stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [named("cluster", { server: access.server, "certificate-authority-data": Buffer.from(access.caPem).toString("base64") })],
    users: [named("user", { token: access.token })],
    contexts: [named("context", { cluster: "eider", user: "eider", namespace: "default" })],
    "current-context": "eider",
  });
  replace(path, text);
}

/** On disk before it has its name: after a power cut an empty token would let everybody in. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  chmodSync(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
}
