// What Knative's activator needs to know, served by our API server in this process: one Revision with one pod, and its settings.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { createApiServer, served } from "#apiserver";
import { createClient } from "#client";
import { SeededRng, silentLogger } from "#core";
import { systemClock } from "#host";
import { servingCertificate } from "#host/certificates";
import { ConfigMap, CoreService, Endpoints, Namespace, Revision, Secret } from "#kinds";
import type { Kind, UserInfo } from "#schema";
import { MemoryStore } from "#store";

export interface ActivatorApi {
  readonly kubeconfig: string;
  /** Of this machine: Endpoints may not name a loopback address. */
  readonly address: string;
  close(): Promise<void>;
}

const USER: UserInfo = { name: "activator", groups: ["system:masters"] };
const TOKEN = "activator";
const SYSTEM = "knative-serving";
const REVISION = "app-0";
const CONFIGS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "config-logging": { "loglevel.activator": "error" },
  "config-network": {},
  "config-observability": {},
};

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = addresses.find(({ family, internal }) => family === "IPv4" && !internal);
  if (own === undefined) throw new Error("the activator needs an address of this machine that is no loopback");
  return own.address;
}

export async function activatorApi(
  parent: string,
  { queuePort, containerConcurrency }: { readonly queuePort: number; readonly containerConcurrency: number },
): Promise<ActivatorApi> {
  const address = ownAddress();
  const folder = mkdtempSync(join(parent, "api-"));
  const store = new MemoryStore({ clock: systemClock });
  const server = createApiServer({
    kinds: [Namespace, ConfigMap, Secret, CoreService, Endpoints, Revision].map((kind) => served({ kind: kind as unknown as Kind })),
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
  for (const name of ["default", SYSTEM]) await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as never);
  for (const [name, data] of Object.entries(CONFIGS))
    await client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: SYSTEM }, data });
  const revision = await client.create(Revision, {
    apiVersion: "serving.knative.dev/v1",
    kind: "Revision",
    metadata: { name: REVISION, namespace: "default", labels: { "serving.knative.dev/service": REVISION, "serving.knative.dev/configuration": REVISION } },
    spec: { containers: [{ image: "bench" }], containerConcurrency, timeoutSeconds: 300 },
  } as never);
  const labels = {
    "serving.knative.dev/revision": REVISION,
    "serving.knative.dev/revisionUID": revision.metadata.uid ?? "",
    "networking.internal.knative.dev/serviceType": "Private",
  };
  const ports = [{ name: "http", port: queuePort, protocol: "TCP" as const }];
  const metadata = { name: `${REVISION}-private`, namespace: "default", labels };
  await client.create(CoreService, { apiVersion: "v1", kind: "Service", metadata, spec: { ports } } as never);
  await client.create(Endpoints, { apiVersion: "v1", kind: "Endpoints", metadata, subsets: [{ addresses: [{ ip: address }], ports }] } as never);
  const { caPem, certPem, keyPem } = await servingCertificate(join(folder, "pki"), ["127.0.0.1"], systemClock.wallMs());
  const listening = await server.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: keyPem, cert: certPem, clientCa: caPem } });
  const kubeconfig = join(folder, "kubeconfig");
  writeFileSync(kubeconfig, kubeconfigOf(`https://127.0.0.1:${listening.port}`, caPem));
  return {
    kubeconfig,
    address,
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
