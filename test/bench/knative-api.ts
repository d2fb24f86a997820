// An API for Knative's own programs: our API server in this process, over TLS, with the kinds that they ask for and no controllers.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApiServer, served } from "#apiserver";
import { createClient, type Client } from "#client";
import { SeededRng, silentLogger } from "#core";
import { systemClock } from "#host";
import { servingCertificate } from "#host/certificates";
import { ConfigMap, Namespace } from "#kinds";
import type { Kind, UserInfo } from "#schema";
import { MemoryStore } from "#store";

export interface KnativeApi {
  readonly client: Client;
  readonly kubeconfig: string;
  close(): Promise<void>;
}

export interface KnativeApiOptions {
  readonly kinds: readonly unknown[];
  /** Where the programs' settings are. */
  readonly systemNamespace: string;
  /** By the names of ConfigMaps. */
  readonly configs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const USER: UserInfo = { name: "knative", groups: ["system:masters"] };
const TOKEN = "knative";

export async function knativeApi(parent: string, { kinds, systemNamespace, configs }: KnativeApiOptions): Promise<KnativeApi> {
  const folder = mkdtempSync(join(parent, "api-"));
  const store = new MemoryStore({ clock: systemClock });
  const server = createApiServer({
    kinds: [Namespace, ConfigMap, ...kinds].map((kind) => served({ kind: kind as unknown as Kind })),
    namespaceKind: Namespace as unknown as Kind,
    store,
    clock: systemClock,
    rng: new SeededRng(1),
    logger: silentLogger,
    version: "v1.34.4",
    authenticate: ({ headers }) => (headers["authorization"] === `Bearer ${TOKEN}` ? USER : undefined),
    authorize: () => undefined,
  });
  const client = createClient(server.transportFor(USER));
  for (const name of ["default", systemNamespace]) await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as never);
  for (const [name, data] of Object.entries(configs)) {
    await client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: systemNamespace }, data });
  }
  const { caPem, certPem, keyPem } = await servingCertificate(join(folder, "pki"), ["127.0.0.1"], systemClock.wallMs());
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: keyPem, cert: certPem, clientCa: caPem } });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(`https://127.0.0.1:${listening.port}`, caPem));
  return {
    client,
    kubeconfig,
    async close() {
      await listening.close();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** JSON is YAML. */
function kubeconfigOf(server: string, caPem: string): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "bench", cluster: { server, "certificate-authority-data": Buffer.from(caPem).toString("base64") } }],
    users: [{ name: "bench", user: { token: TOKEN } }],
    contexts: [{ name: "bench", context: { cluster: "bench", user: "bench" } }],
    "current-context": "bench",
  });
}
