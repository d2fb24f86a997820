// The two servers that the scripts run against, each fresh and with a kubeconfig: a bare kube-apiserver, and ours without controllers.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installCustomKinds } from "../oracle/custom-kinds.ts";
import { listenOurs } from "../oracle/own-server.ts";
import { connectReal, startReal } from "../oracle/real-server.ts";
import { TOKENS } from "../oracle/server.ts";

export interface ScriptServer {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

function withKubeconfig(port: number, caPem: string, close: () => Promise<void>): ScriptServer {
  const folder = mkdtempSync(join(tmpdir(), "eider-kubeconfig-"));
  const kubeconfig = join(folder, "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: `https://127.0.0.1:${port}`, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: "u", user: { token: TOKENS["admin"] } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  writeFileSync(kubeconfig, JSON.stringify(config), { mode: 0o600 });
  return {
    kubeconfig,
    async close() {
      await close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A kube-apiserver and its etcd, with the definitions of our own kinds. */
export async function startRealServer(paths: { readonly apiserver: string; readonly etcd: string }): Promise<ScriptServer> {
  const { running, end } = await startReal(paths);
  const server = connectReal(running);
  await installCustomKinds(server);
  await server.close();
  return withKubeconfig(running.port, running.caPem, end);
}

export async function startOwnServer(): Promise<ScriptServer> {
  const { port, caPem, close } = await listenOurs();
  return withKubeconfig(port, caPem, close);
}
