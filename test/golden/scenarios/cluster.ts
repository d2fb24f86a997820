// A real kube-apiserver with our definitions and webhooks, and our controllers beside it as `eider controllers --workloads` runs them.
import type { ApiRequest, ApiResponse } from "#apiserver";
import { Deciders } from "#autoscaler";
import { createClient, createHttpTransport, createInformerSet, type Client, type InformerSet, type Transport } from "#client";
import { followSettings, type Settings } from "#controllers";
import { SeededRng, silentLogger, SimClock } from "#core";
import { systemClock } from "#host";
import { ClusterNode, ConfigMap, defaultConfigMaps, Namespace, Pod, SYSTEM_NAMESPACE } from "#kinds";
import type { Draft, Kind, KubeObject } from "#schema";
import { KUBERNETES_KINDS, OWN_KINDS } from "../../../src/main/cluster-kinds.ts";
import { applyWebhooks, ensure, ensureClusterObjects, removeWebhooks } from "../../../src/main/cluster-objects.ts";
import { startWebhooks } from "../../../src/main/cluster-webhooks.ts";
import { runControllers } from "../../../src/main/controllers.ts";
import { httpsClient } from "../../oracle/https-client.ts";
import { startReal } from "../../oracle/real-server.ts";
import { TOKENS } from "../../oracle/server.ts";
import { BASE_CONFIG, flowOfTime, reportNoLoad, startSimulators, STEP_MS, type Harness } from "./harness.ts";
import { Ledger } from "./ledger.ts";
import { OnTheWay } from "./on-the-way.ts";
import { simulatedRegistry } from "./simulators.ts";

const KINDS: readonly Kind[] = [...OWN_KINDS, ...KUBERNETES_KINDS];
/** As the recordings name the user. */
const USER = { "impersonate-user": "kubernetes-admin", "impersonate-group": "system:masters" };
/** For a namespace to go. */
const EMPTYING_MS_MAX = 60_000;

export interface Cluster {
  /** Boots controllers and simulators for one scenario, in its namespace. */
  boot(namespace: string): Promise<Harness>;
  close(): Promise<void>;
}

/** One server for any number of scenarios, one after the other. */
export async function startCluster(paths: { readonly apiserver: string; readonly etcd: string }): Promise<Cluster> {
  const { running, end } = await startReal(paths);
  const server = { server: `https://127.0.0.1:${running.port}`, ca: running.caPem, token: TOKENS["admin"] ?? "" };
  const transport = createHttpTransport({ ...server, clock: systemClock, logger: silentLogger, userAgent: "eider-controllers" });
  const client = createClient(transport);
  const user = httpsClient(running);
  const now: { settings?: Settings } = {};
  const settings = (): Settings => {
    if (now.settings === undefined) throw new Error("a webhook is asked between two scenarios");
    return now.settings;
  };
  const webhooks = await startWebhooks({
    kinds: OWN_KINDS,
    config: () => settings().current(),
    transport,
    host: "127.0.0.1",
    port: 0,
    nowWallMs: systemClock.wallMs(),
    logger: silentLogger,
  });
  const fixed = { namespace: SYSTEM_NAMESPACE, domain: "example.com", version: "0", force: false, clock: systemClock, progress: () => {} };
  await ensureClusterObjects(client, { kinds: OWN_KINDS, ...fixed }, new AbortController().signal);
  await applyWebhooks(client, { url: webhooks.url, caPem: webhooks.caPem, kinds: OWN_KINDS, force: false });
  await ensure(client, ClusterNode, { apiVersion: "v1", kind: "Node", metadata: { name: "node-1" }, spec: {} } as Draft<ClusterNode>);
  return {
    async boot(namespace) {
      await putBackSettings(client);
      return bootOn({ transport, user, use: (its) => (now.settings = its) }, namespace);
    },
    async close() {
      await removeWebhooks(client, { url: webhooks.url, caPem: webhooks.caPem, kinds: OWN_KINDS });
      transport.close();
      user.close();
      await webhooks.close();
      await end();
    },
  };
}

async function putBackSettings(client: Client): Promise<void> {
  for (const map of defaultConfigMaps({ domain: "example.com", version: "0" })) {
    const { name = "" } = map.metadata;
    const current = await client.get(ConfigMap, SYSTEM_NAMESPACE, name);
    await client.update(ConfigMap, { ...current, data: { ...map.data, ...BASE_CONFIG[name] } } as Draft<ConfigMap>);
  }
}

/** The scheduler of the recordings: one node, and room for all. */
function bindPods(transport: Transport, informers: InformerSet): void {
  const target = { apiVersion: "v1", kind: "Node", name: "node-1" };
  informers
    .of(Pod, "scheduler", ({ metadata, spec }) => ({ name: metadata.name, namespace: metadata.namespace ?? "", bound: (spec.nodeName ?? "") !== "" }))
    .onChange(({ after }) => {
      if (after === undefined || after.bound) return;
      const { name, namespace } = after;
      const body = { apiVersion: "v1", kind: "Binding", metadata: { name, namespace }, target };
      void transport.send({ verb: "create", kind: Pod as unknown as Kind, namespace, name, subresource: "binding", body }).catch(() => {});
    });
}

/** Feeds the ledger from a watch of each kind. */
async function keepLedger(ledger: Ledger, client: Client, signal: AbortSignal): Promise<void> {
  const one = async (kind: Kind): Promise<void> => {
    for await (const { type, object } of client.watch(kind, { initialEvents: true }, signal)) {
      if (type === "BOOKMARK") continue;
      const { namespace = "", name, resourceVersion } = object.metadata;
      const key = `${kind.group}/${kind.plural}/${namespace}/${name}`;
      ledger.record([
        {
          type: type === "DELETED" ? "delete" : "put",
          key,
          revision: Number(resourceVersion),
          previous: undefined,
          previousRevision: undefined,
          value: JSON.stringify(object),
        },
      ]);
    }
  };
  await Promise.all(KINDS.map(one));
}

interface Parts {
  readonly transport: Transport;
  readonly user: ReturnType<typeof httpsClient>;
  readonly use: (settings: Settings) => void;
}

async function bootOn(parts: Parts, namespace: string): Promise<Harness> {
  const clock = new SimClock(systemClock.wallMs());
  const ending = new AbortController();
  const { signal } = ending;
  const way = new OnTheWay();
  const transport = way.follow(parts.transport);
  const client = createClient(transport);
  const rng = new SeededRng(7);
  const logger = silentLogger;
  const informers = createInformerSet({ client, clock, rng, logger });
  const settings = followSettings({ informers, logger });
  parts.use(settings);
  const ledger = new Ledger(namespace);
  const time = flowOfTime({ clock, ledger, quiet: () => way.quiet() });
  const told = keepLedger(ledger, client, signal);
  const deciders = new Deciders({ clock });
  const fixed = {
    workloads: true,
    resolveDigest: simulatedRegistry,
    ingressState: () => ({ isInForce: false }),
    activators: () => ["10.244.255.1"],
    publicPort: undefined,
    rootCa: "ca",
  };
  const controllers = runControllers({ client, informers, settings, transport, kinds: KINDS, rng, logger, ...fixed, deciders, clock }, signal);
  void deciders.run({ signal });
  void reportNoLoad(deciders, clock, signal);
  // The recordings' simulators gave no name.
  const nameless = createClient(transport, { fieldManager: "unknown" });
  const simulate = startSimulators({ client: nameless, informers, clock, signal });
  bindPods(transport, informers);
  const informing = informers.run(signal);
  await time.advance(STEP_MS);
  await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } } as Draft<Namespace>);
  return {
    server: {
      async handle(request) {
        const answer = await way.during(asUser(parts.user, request, way));
        // The ledger knows what the answer names before it is compared.
        await way.quiet();
        return answer;
      },
      listen: () => Promise.reject(new Error("kn is run against our own server")),
    },
    ledger,
    arrived: { fromControllers: 0 },
    simulate,
    ...time,
    async close() {
      await client.delete(Namespace, { namespace: "", name: namespace });
      const isThere = async (): Promise<boolean> => (await client.find(Namespace, "", namespace)) !== undefined;
      for (let passedMs = 0; passedMs < EMPTYING_MS_MAX && (await isThere()); passedMs += STEP_MS) await time.advance(STEP_MS);
      const remains = await isThere();
      ending.abort();
      await Promise.allSettled([controllers.done, informing, told]);
      if (remains) throw new Error(`the namespace ${namespace} is still there a simulated minute after its deletion`);
    },
  };
}

/** A recorded request, in the name of the recorded user. */
async function asUser(user: Parts["user"], { method, target, headers, body }: ApiRequest, way: OnTheWay): Promise<ApiResponse> {
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const sent = { ...headers, ...USER, authorization: `Bearer ${TOKENS["admin"]}` } as Record<string, string>;
  const answer = await user.ask({ method, target, headers: sent, ...(bytes === undefined ? {} : { body: bytes }) }, new AbortController().signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.chunks) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const object = text.startsWith("{") ? (JSON.parse(text) as KubeObject) : undefined;
  if (method !== "GET" && answer.status < 300 && object !== undefined) {
    way.wrote(`${object.apiVersion} ${object.kind}`, method === "DELETE" ? "delete" : "update", object, target.includes("dryRun="));
  }
  return { status: answer.status, headers: answer.headers as ApiResponse["headers"], body: text };
}
