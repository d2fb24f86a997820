// What Knative's activator needs to know: one Revision with one pod, and its settings.
import { networkInterfaces } from "node:os";
import { CoreService, Endpoints, Revision, Secret } from "#kinds";
import { knativeApi } from "./knative-api.ts";

export interface ActivatorApi {
  readonly kubeconfig: string;
  /** Of this machine: Endpoints may not name a loopback address. */
  readonly address: string;
  close(): Promise<void>;
}

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
  const { client, kubeconfig, close } = await knativeApi(parent, {
    kinds: [Secret, CoreService, Endpoints, Revision],
    systemNamespace: SYSTEM,
    configs: CONFIGS,
  });
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
  return { kubeconfig, address, close };
}
