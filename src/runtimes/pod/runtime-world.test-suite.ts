// What the runtime's tests share: a store of pods in memory and a keeper whose processes end when the test says so.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Client, WatchEvent, WatchQuery } from "#client";
import { notFound, SeededRng, silentLogger, SimClock, StatusError } from "#core";
import { createImagePuller, openImageStore, platformOf, Transport, type ImageStore } from "#images";
import type { Pod } from "#kinds";
import type { KubeObject } from "#schema";
import type { KeeperNotice, KeeperRequest, ProcessExit, ProcessSpec, ProcessState } from "#protocol";
import type { KeeperClient } from "../keeper/keeper-client.ts";
import { podUsers } from "../keeper/pod-users.ts";
import { PodImages } from "../pod-images.ts";
import { processEngine } from "../process/process-engine.ts";
import type { FakeEngine } from "./fake-engine.test-suite.ts";
import type { PodEvent } from "./pod-events.ts";
import { createRuntime, type Runtime } from "./runtime.ts";

export type Any = Record<string, unknown>;

/** Merge patch (RFC 7386). */
function merge(target: unknown, patch: unknown): unknown {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Any = { ...(typeof target === "object" && target !== null ? (target as Any) : {}) };
  for (const [key, value] of Object.entries(patch)) result[key] = merge(result[key], value);
  return result;
}

/** As much of an API as the runtime uses; `writes` are the patches in order. */
export class Pods {
  readonly pods = new Map<string, Pod>();
  readonly objects = new Map<string, unknown>();
  readonly writes: { readonly subresource: string; readonly body: Any }[] = [];
  /** The event at index n makes revision n + 1. */
  readonly #events: WatchEvent<Pod>[] = [];
  /** Of `objects`, as `#events` of the pods. */
  readonly #otherEvents: WatchEvent<KubeObject>[] = [];
  #more = Promise.withResolvers<void>();

  put(pod: Pod): void {
    const type = this.pods.has(pod.metadata.name) ? "MODIFIED" : "ADDED";
    this.#emit(type, { ...pod, metadata: { ...pod.metadata, resourceVersion: String(this.#events.length + 1) } });
  }

  /** Creates or changes an object, of the namespace `default` where it lies in one. */
  putObject(kind: "ConfigMap" | "Secret" | "ServiceAccount" | "PersistentVolumeClaim" | "PersistentVolume" | "Service", name: string, body: Any): void {
    const resourceVersion = String(this.#otherEvents.length + 1);
    const object = { kind, metadata: { namespace: "default", name, uid: `uid-${name}`, resourceVersion }, ...body } as unknown as KubeObject;
    this.#otherEvents.push({ type: this.objects.has(`${kind}/${name}`) ? "MODIFIED" : "ADDED", object });
    this.objects.set(`${kind}/${name}`, object);
    this.#wake();
  }

  get(name: string): Pod {
    const pod = this.pods.get(name);
    assert.ok(pod !== undefined, `no pod ${name}`);
    return pod;
  }

  #emit(type: "ADDED" | "MODIFIED" | "DELETED", pod: Pod): void {
    if (type === "DELETED") this.pods.delete(pod.metadata.name);
    else this.pods.set(pod.metadata.name, pod);
    this.#events.push({ type, object: pod });
    this.#wake();
  }

  remove(name: string): void {
    this.#emit("DELETED", this.get(name));
  }

  readonly client = {
    find: (kind: { kind: string }, _namespace: string, name: string) =>
      Promise.resolve(kind.kind === "Pod" ? this.pods.get(name) : this.objects.get(`${kind.kind}/${name}`)),
    list: ({ kind }: { kind: string }) =>
      Promise.resolve(
        kind === "Pod"
          ? { items: [...this.pods.values()], resourceVersion: String(this.#events.length) }
          : {
              items: [...this.objects].filter(([key]) => key.startsWith(`${kind}/`)).map(([, object]) => object),
              resourceVersion: String(this.#otherEvents.length),
            },
      ),
    patch: (_kind: unknown, { name, subresource }: { name: string; subresource?: string }, { body }: { body: Any }) => {
      const pod = this.pods.get(name);
      if (pod === undefined) return Promise.reject(notFound({ group: "", resource: "pods" }, name));
      this.writes.push({ subresource: subresource ?? "", body });
      this.put(merge(pod, subresource === "status" ? { status: body["status"] } : body) as Pod);
      return Promise.resolve(this.get(name));
    },
    delete: (_kind: unknown, { name }: { name: string }) => {
      this.remove(name);
      return Promise.resolve();
    },
    watch: ({ kind }: { kind: string }, query: WatchQuery, signal: AbortSignal) => this.#watch(kind, query, signal),
  } as unknown as Client;

  async *#watch(kind: string, { initialEvents, resourceVersion }: WatchQuery, signal: AbortSignal): AsyncIterable<WatchEvent<KubeObject>> {
    if (initialEvents === true) throw new StatusError("Invalid", "lists are not streamed here");
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    for (let next = Number(resourceVersion); !signal.aborted;) {
      const event = kind === "Pod" ? this.#events[next] : this.#otherEvents[next];
      if (event === undefined) await this.#more.promise;
      else {
        next += 1;
        if (event.object.kind === kind) yield event as WatchEvent<KubeObject>;
      }
    }
  }

  #wake(): void {
    this.#more.resolve();
    this.#more = Promise.withResolvers();
  }
}

/** Processes that listen when told to; a signal is noted, and SIGKILL ends at once. */
export class FakeKeeper {
  readonly specs = new Map<string, ProcessSpec>();
  readonly exits = new Map<string, ProcessExit | null>();
  readonly log: string[] = [];
  refuse: string | undefined;
  /** The process that all claim to be; default: one that does not exist. */
  pid: number | undefined;
  /** A start is answered after this. */
  starting: Promise<unknown> = Promise.resolve();
  /** Called with each start. */
  onStart: (spec: ProcessSpec) => void = () => {};
  readonly #listeners = new Set<(notice: KeeperNotice) => void>();
  readonly #servers = new Map<string, Server>();

  exit(id: string, exit: Partial<ProcessExit> | null): void {
    this.#servers.get(id)?.close();
    const full = exit === null ? null : { code: null, signal: null, atWallMs: 0, ...exit };
    this.exits.set(id, full);
    for (const listener of this.#listeners) listener({ notice: "exited", process: id, exit: full });
  }

  /** The process opens a port. */
  listen(id: string, port = Number(this.specs.get(id)?.env["PORT"])): Promise<void> {
    const server = createServer((socket) => socket.destroy());
    this.#servers.set(id, server);
    return new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
  }

  #identity(id: string) {
    return { bootId: "b", pid: this.pid ?? 4_000_000 + [...this.specs.keys()].indexOf(id), startTime: "1", uid: 0 };
  }

  #answer(request: KeeperRequest): object {
    switch (request.do) {
      case "start":
        if (this.refuse !== undefined) throw new Error(this.refuse);
        assert.ok(!this.specs.has(request.process.id), "started twice");
        this.specs.set(request.process.id, request.process);
        this.log.push(`start ${request.process.id}`);
        this.onStart(request.process);
        return { identity: this.#identity(request.process.id) };
      case "signal":
        this.log.push(`${request.signal} ${request.process}`);
        if (request.signal === "SIGKILL") this.exit(request.process, { signal: "SIGKILL" });
        return {};
      case "forget":
        this.specs.delete(request.process);
        this.exits.delete(request.process);
        return {};
      default: {
        const processes: ProcessState[] = [...this.specs.keys()].map((id) => {
          const exit = this.exits.get(id);
          return { id, identity: this.#identity(id), running: !this.exits.has(id), ...(exit === undefined ? {} : { exit }) };
        });
        return { processes };
      }
    }
  }

  readonly client: KeeperClient = {
    call: async (request) => {
      const answer = this.#answer(request);
      if (request.do === "start") await this.starting;
      return { id: 0, ok: true, ...answer };
    },
    onNotice: (listener) => {
      this.#listeners.add(listener);
      return () => this.#listeners.delete(listener);
    },
    closed: new Promise(() => {}),
    close() {},
  };
}

export interface World {
  readonly pods: Pods;
  readonly keeper: FakeKeeper;
  readonly clock: SimClock;
  readonly runtime: Runtime;
  readonly images: ImageStore;
  readonly dir: string;
  readonly events: PodEvent[];
  readonly drained: PromiseWithResolvers<void>;
  /** Lets IO and a little time pass until the condition holds. */
  until(condition: () => boolean, stepMs?: number): Promise<void>;
  /** Ends this runtime and starts another over the same pods and keeper. */
  restart(): Promise<World>;
}

export const IMAGE = "dev.local/app:v1";

export async function world(t: TestContext, before?: World, engine?: FakeEngine | readonly FakeEngine[]): Promise<World> {
  const dir = before?.dir ?? mkdtempSync(join(tmpdir(), "eider-runtime-"));
  const pods = before?.pods ?? new Pods();
  const keeper = before?.keeper ?? new FakeKeeper();
  const clock = before?.clock ?? new SimClock();
  const images = await openImageStore(join(dir, "images"));
  if (before === undefined) await putImage(images);
  const events = before?.events ?? [];
  let minted = 0;
  const drained = Promise.withResolvers<void>();
  const stop = new AbortController();
  // Ports are chosen by chance: of two runs on one machine each must get ports of its own.
  const rng = new SeededRng(process.pid);
  const users = podUsers({ dataDir: dir, asRoot: false, nodePath: "/opt/node/bin/node" });
  const names = { open: () => Promise.resolve(undefined), viewFor: () => Promise.resolve(undefined) };
  const transport = new Transport();
  t.after(() => transport.close());
  const podImages = new PodImages({
    client: pods.client,
    clock,
    puller: createImagePuller({
      store: images,
      platform: platformOf(process),
      client: { transport, clock, rng, settings: () => ({ mirrors: {}, insecure: [], ca: "" }) },
    }),
    userKeychain: () => Promise.resolve([]),
    onEvent: (_pod, event) => void events.push(event),
  });
  const runtime = createRuntime({
    client: pods.client,
    engines:
      engine === undefined
        ? [processEngine({ keeper: keeper.client, images, podImages, users, names, rng, logger: silentLogger, dataDir: dir, path: "/usr/bin:/bin" })]
        : [engine].flat().map((each) => () => each),
    images,
    clock,
    rng,
    logger: silentLogger,
    dataDir: dir,
    nodeName: "here",
    onStarted: () => {},
    onEvent: (_pod, event) => void events.push(event),
    mintToken: ({ serviceAccount, audience = "api", expirationSeconds }) => {
      minted += 1;
      return Promise.resolve({ token: `${serviceAccount}/${audience}/${minted}`, expiresAtWallMs: clock.wallMs() + expirationSeconds * 1000 });
    },
    apiPort: 6443,
    beforeStop: () => drained.promise,
  });
  const running = runtime.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  t.after(async () => {
    await end();
    keeper.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const until = async (condition: () => boolean, stepMs = 1): Promise<void> => {
    for (let turn = 0; !condition(); turn++) {
      assert.ok(turn < 3_000, `never came: ${condition.toString()} ${JSON.stringify([...pods.pods.values()].map((pod) => pod.status))} ${keeper.log.join()}`);
      await clock.advance(stepMs);
    }
  };
  const self: World = { pods, keeper, clock, runtime, images, dir, events, drained, until, restart: async () => (await end(), world(t, self, engine)) };
  return self;
}

/** As `eider build` makes them for programs of the host; without `base`, as everybody else does. */
export async function putImage(images: ImageStore, name = IMAGE, base: string | null = "node26"): Promise<string> {
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Entrypoint: ["node", "server.js"], WorkingDir: "/", ...(base === null ? {} : { Labels: { "dev.eider.base": base } }) },
      rootfs: { type: "layers", diff_ids: [] },
    }),
  );
  const manifest = { schemaVersion: 2, mediaType: "", config: { mediaType: "", digest: await images.putBlob(config), size: config.length }, layers: [] };
  const digest = await images.putBlob(Buffer.from(JSON.stringify(manifest)));
  await images.tag(name, digest);
  return digest;
}

export function podWith(spec: Any = {}, container: Any = {}): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "p",
      namespace: "default",
      uid: "u1",
      resourceVersion: "1",
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: { "serving.knative.dev/revision": "r" },
    },
    spec: {
      nodeName: "here",
      terminationGracePeriodSeconds: 30,
      containers: [{ name: "user-container", image: IMAGE, ports: [{ containerPort: 8080 }], terminationMessagePolicy: "FallbackToLogsOnError", ...container }],
      ...spec,
    },
    status: { phase: "Pending", qosClass: "BestEffort" },
  } as unknown as Pod;
}

export const ID = "u1/user-container";
export const readyOf = (pods: Pods): string | undefined => pods.pods.get("p")?.status?.conditions?.find((one) => one.type === "Ready")?.status;
export const stateOf = (pods: Pods) => pods.get("p").status?.containerStatuses?.[0];

export async function readyPod(t: TestContext, given = podWith()): Promise<World> {
  const w = await world(t);
  w.pods.put(given);
  await w.until(() => w.keeper.specs.has(ID));
  await w.keeper.listen(ID);
  await w.until(() => readyOf(w.pods) === "True");
  return w;
}
