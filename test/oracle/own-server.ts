// Our API server as it stands beside a bare kube-apiserver: the served kinds over a store in memory, no controllers, pods on no node.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createApiServer, type ApiServer, type Attributes, type Credentials, type ServedKind } from "#apiserver";
import { createClient, createInformerSet, type InformerSet } from "#client";
import { SeededRng, silentLogger, SimClock, type Clock } from "#core";
import { systemClock } from "#host";
import { servingCertificate } from "#host/certificates";
import { CoreService, defaultEventingConfig, defaultServingConfig, descriptions, Namespace } from "#kinds";
import type { Kind, UserInfo } from "#schema";
import { engines } from "#schema/rules";
import { MemoryStore } from "#store";
import { definitionKind, ensureDefinitions, serveDefinitions } from "../../src/main/custom-kinds.ts";
import { kubernetesService } from "../../src/main/bootstrap-objects.ts";
import { servedKinds } from "../../src/main/served-kinds.ts";
import { subresources } from "../../src/main/subresources.ts";
import { tryPod } from "../../src/main/try-pod.ts";
import { httpsClient } from "./https-client.ts";
import { TOKENS, VERSION, type Answering, type Asked, type Server } from "./server.ts";

const USERS: Readonly<Record<string, UserInfo>> = {
  admin: { name: "admin", uid: "u1", groups: ["system:masters", "system:authenticated"] },
  user: { name: "user", uid: "u2", groups: ["system:authenticated"] },
  dev: { name: "dev", uid: "u3", groups: ["system:authenticated"] },
};
const PLATFORM: UserInfo = { name: "system:apiserver", groups: ["system:masters"] };
/** What is done on every server before the first scenario; a kube-apiserver makes these namespaces itself. */
const NAMESPACES = ["default", "kube-node-lease", "kube-public", "kube-system"];
const STEP_MS = 50;
/** Simulated: longer than any watch of the corpus lives. */
const PATIENCE_MS = 300_000;

/** Custom kinds without the admission that Knative's webhooks are elsewhere: the real server has only their definitions. */
function bare(kind: ServedKind): ServedKind {
  const { admit: _, ...rest } = kind;
  return kind.kind.custom ? rest : kind;
}

function authenticate({ headers }: Credentials): UserInfo | undefined {
  const { authorization } = headers;
  if (authorization === undefined) return { name: "system:anonymous", groups: ["system:unauthenticated"] };
  return Object.entries(USERS).find(([name]) => authorization === `Bearer ${TOKENS[name]}`)?.[1];
}

/** What RBAC starts with: everything to masters, discovery to whoever is known, health and version to all; who is known may ask about himself. */
function authorize(user: UserInfo, { path, verb, resource }: Attributes): string | undefined {
  if (user.groups.includes("system:masters")) return undefined;
  if (verb === "create" && resource.startsWith("selfsubject") && user.groups.includes("system:authenticated")) return undefined;
  const open = /^\/(healthz|livez|readyz|version\/?)$/;
  const known = /^\/(api|apis|openapi)(\/|$)/;
  if (path !== undefined && verb === "get" && (open.test(path) || (user.groups.includes("system:authenticated") && known.test(path)))) return undefined;
  return "";
}

export interface Booted {
  readonly api: ApiServer;
  readonly store: MemoryStore;
  end(): Promise<void>;
}

/** Pods of the oracle have no node. */
const nothingRuns = (): never => {
  throw new Error("nothing runs here");
};

/** Empty but for what every Kubernetes has from its start. */
async function boot(clock: Clock): Promise<Booted> {
  const ending = new AbortController();
  const rng = new SeededRng(7);
  const store = new MemoryStore({ clock, startRevision: 100 });
  const late: { informers?: InformerSet } = {};
  const builtIn = servedKinds({
    settings: defaultServingConfig,
    eventingSettings: defaultEventingConfig,
    rng,
    clock,
    signal: ending.signal,
    informers: () => late.informers as InformerSet,
    client: () => client,
    tryPod: (pod) => tryPod(transport, pod),
    authority: {
      refusal: async (user, asked) => authorize(user, asked),
      rules: () => ({ resourceRules: [], nonResourceRules: [], incomplete: false }),
      nowMs: () => clock.wallMs(),
    },
    subresources: subresources({ runtime: nothingRuns, client: () => client, clock }),
  }).map(bare);
  const definitionsOf = builtIn.map(({ kind }) => kind);
  const kinds = [...builtIn, definitionKind(definitionsOf, { platform: PLATFORM.name, engines })];
  const options = { kinds, namespaceKind: Namespace as unknown as Kind, store, clock, rng, logger: silentLogger, version: VERSION, engines, descriptions };
  const api = createApiServer({ ...options, authenticate, authorize });
  const transport = api.transportFor(PLATFORM);
  const client = createClient(transport);
  late.informers = createInformerSet({ client, clock, rng, logger: silentLogger });
  const definitions = serveDefinitions({
    api,
    kinds: kinds.map(({ kind }) => kind),
    informers: late.informers,
    client: createClient(transport, { fieldManager: "kube-apiserver" }),
    clock,
    rng,
    logger: silentLogger,
    convert: () => () => Promise.reject(new Error("no webhooks")),
  });
  const informing = late.informers.run(ending.signal);
  for (const name of NAMESPACES) await client.create(Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } } as never);
  await client.create(CoreService, kubernetesService(443));
  await ensureDefinitions(client, definitionsOf, clock.wallMs());
  const defining = definitions.run(ending.signal);
  await definitions.synced;
  return {
    api,
    store,
    async end() {
      ending.abort();
      await Promise.all([informing.catch(() => {}), defining]);
      await store.close();
    },
  };
}

async function* chunksOf(body: Awaited<ReturnType<ApiServer["handle"]>>["body"]): AsyncGenerator<Uint8Array> {
  const bytes = (piece: string | Uint8Array): Uint8Array => (typeof piece === "string" ? Buffer.from(piece) : piece);
  if (typeof body === "string" || body instanceof Uint8Array) return yield bytes(body);
  for await (const piece of body) yield bytes(piece);
}

/** Our server, and its store for those who put objects into it as they were recorded. */
export interface OurServer extends Server {
  readonly store: MemoryStore;
}

/** Asked without a socket, on a clock that moves while someone waits. */
export async function bootOurs(startWallMs?: number): Promise<OurServer> {
  const clock = new SimClock(startWallMs);
  const { api, store, end } = await boot(clock);
  return {
    name: "ours",
    store,
    async ask({ method, target, headers, body }, signal): Promise<Answering> {
      const answer = await api.handle({ method, target, headers, signal, ...(body === undefined ? {} : { body }) });
      return { status: answer.status, headers: answer.headers, chunks: chunksOf(answer.body) };
    },
    async patiently(promise, what) {
      const state = { done: false };
      const settled = promise.finally(() => (state.done = true));
      settled.catch(() => {});
      await clock.advance(0);
      for (let passedMs = 0; !state.done; passedMs += STEP_MS) {
        if (passedMs > PATIENCE_MS) throw new Error(`${what} did not come within ${PATIENCE_MS / 1000} simulated seconds`);
        await clock.advance(STEP_MS);
      }
      return settled;
    },
    pause: () => clock.advance(STEP_MS),
    compact: () => compact(store),
    close: end,
  };
}

/** Over a socket, for real clients and for what HTTP itself does. */
export async function listenOurs(): Promise<{ readonly port: number; readonly caPem: string; readonly store: MemoryStore; close(): Promise<void> }> {
  const { api, store, end } = await boot(systemClock);
  const folder = mkdtempSync(join(tmpdir(), "eider-oracle-pki-"));
  const tls = await servingCertificate(folder, ["127.0.0.1", "localhost"], systemClock.wallMs());
  rmSync(folder, { recursive: true });
  const listening = await api.listen({ at: { host: "127.0.0.1", port: 0 }, tls: { key: tls.keyPem, cert: tls.certPem, clientCa: tls.caPem } });
  return {
    port: listening.port,
    caPem: tls.caPem,
    store,
    async close() {
      await listening.close();
      await end();
    },
  };
}

/** Asked over a socket. */
export async function bootOursOverHttps(): Promise<Server> {
  const { port, caPem, store, close } = await listenOurs();
  const client = httpsClient({ port, caPem });
  return {
    name: "ours",
    ask: (asked: Asked, signal) => client.ask(asked, signal),
    patiently: (promise) => promise,
    pause: () => new Promise((resolve) => setImmediate(resolve)),
    compact: () => compact(store),
    async close() {
      client.close();
      await close();
    },
  };
}

async function compact(store: MemoryStore): Promise<void> {
  const forget = (store as { compact?: (revision: number) => unknown }).compact;
  if (forget === undefined) throw new Error("the store in memory cannot forget its history");
  await forget.call(store, store.revision);
}
