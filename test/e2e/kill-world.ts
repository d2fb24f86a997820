// A platform under writes and load while somebody kills it: what the outside sees of it, recorded as facts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import type { Socket } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createClient, createHttpTransport, loadKubeconfigFile, type Client } from "#client";
import { below, silentLogger, SeededRng, StatusError, type Rng } from "#core";
import { systemClock } from "#host";
import { ConfigMap, Deployment, Pod, Service } from "#kinds";
import type { Draft } from "#schema";
import type { Kill, PodFact, PodProcess, RecordedWrite, ServiceFact, Snapshot, Traffic, FailedRequest } from "./kill-facts.ts";
import { eventually, Platform, root, type State } from "./platform.ts";

const NAMESPACE = "default";
const REVISION = "serving.knative.dev/revision";
const REVISION_VARIABLE = /(?:^|\0)K_REVISION=([^\0]*)/;
const LABEL = { "kill.eider.dev/written": "yes" };
const IMAGE = "dev.local/hello";
const WRITE_PAUSE_MS = 5;
const REQUEST_PAUSE_MS = 10;
const REQUEST_LIMIT_MS = 30_000;
/** Values that one object goes through before the writer takes the next. */
const VALUES_PER_KEY = 6;

export const sleep = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));
const now = (): number => performance.now();

/** Whether any thread of the process still runs: its sockets are open until the last one has ended. */
export function isAlive(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some((thread) => {
      const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
      return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
    });
  } catch {
    return existsSync(`/proc/${pid}`) && isAlive(pid);
  }
}

/** Every process whose home is a pod's folder below `data`, whoever started it. */
export function podProcesses(data: string): PodProcess[] {
  const home = new RegExp(`(?:^|\\0)HOME=${data.replace(/[^\w/-]/g, "\\$&")}/pods/([^/]+)/([^/]+)/home(?:\\0|$)`);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, "latin1");
        const found = home.exec(environment);
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const startTime = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
        if (found === null || startTime === undefined) return [];
        return [{ pid: Number(name), startTime, podUid: found[1] ?? "", container: found[2] ?? "", revision: REVISION_VARIABLE.exec(environment)?.[1] ?? "" }];
      } catch {
        return [];
      }
    });
}

/** Every process that has the data folder in its command line: keepers and platforms. */
export function platformProcesses(data: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isAlive(Number(name)))
    .map(Number)
    .filter((pid) => {
      try {
        return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`"dataDir":"${data}"`);
      } catch {
        return false;
      }
    });
}

interface ServiceWanted {
  readonly name: string;
  readonly version: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Recording {
  readonly key: string;
  readonly value: string | undefined;
  /** Where the writer keeps its writes. */
  readonly into?: RecordedWrite[];
}

const containersOf = (version: number) => [{ image: IMAGE, env: [{ name: "VERSION", value: String(version) }] }];

/** Writers, load and eyes outside of one platform. Start it, kill what you like, `stop` it. */
export class KillWorld {
  readonly platform: Platform;
  readonly kills: Kill[] = [];
  readonly writes: RecordedWrite[][] = [];
  /** What the API server said to rejected writes that ought to have passed. */
  readonly rejections: string[] = [];
  /** More processes of the steady Service than it ever wants, seen at any moment. */
  steadyMost = 0;
  #answered = 0;
  readonly #failed: FailedRequest[] = [];
  readonly #opened = new WeakMap<Socket, number>();
  readonly #client: Client;
  readonly #close: () => void;
  readonly #stopping = new AbortController();
  #loops: Promise<void>[] = [];

  private constructor(platform: Platform, client: Client, close: () => void) {
    this.platform = platform;
    this.#client = client;
    this.#close = close;
  }

  /** A platform with the Services `steady` (two pods for ever) and `changing` (one pod), both ready. */
  static async start(args: readonly string[] = ["--orphan-grace", "60s"]): Promise<KillWorld> {
    const platform = await Platform.start({ args });
    const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", IMAGE);
    if (built.code !== 0) throw new Error(`build failed: ${built.stderr}`);
    const world = await KillWorld.around(platform);
    // One after the other: the revisions that a writer is shown are compared in the order of its writes.
    const first = [
      await world.create({ name: "steady", version: 1, annotations: { "autoscaling.knative.dev/min-scale": "2", "autoscaling.knative.dev/max-scale": "2" } }),
      await world.create({ name: "changing", version: 1, annotations: { "autoscaling.knative.dev/min-scale": "1" } }),
    ];
    if (first.some((outcome) => outcome !== "acknowledged")) throw new Error(`the first Services were not created: ${world.rejections.join("; ")}`);
    await eventually("the first Services are ready", async () => (await world.snapshot()).services.every(({ ready }) => ready));
    return world;
  }

  /** The same eyes and hands on a platform that runs already. */
  static async around(platform: Platform): Promise<KillWorld> {
    const access = await loadKubeconfigFile(platform.state.kubeconfig);
    const transport = createHttpTransport({ ...access, clock: systemClock, logger: silentLogger, userAgent: "kill", timeoutMs: 10_000 });
    return new KillWorld(platform, createClient(transport), () => transport.close());
  }

  get traffic(): Traffic {
    return { answered: this.#answered, failed: this.#failed };
  }

  /** Writers and load, until `quiet`. */
  begin(rng: Rng): void {
    this.#loops = [
      this.#write(new SeededRng(rng.uint32())),
      this.#write(new SeededRng(rng.uint32())),
      this.#load("steady", true, new SeededRng(rng.uint32())),
      this.#load("steady", false, new SeededRng(rng.uint32())),
      this.#load("changing", true, new SeededRng(rng.uint32())),
      this.#load("changing", false, new SeededRng(rng.uint32())),
      this.#watchSteady(),
    ];
  }

  /** Ends writers and load. */
  async quiet(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#loops);
  }

  async stop(): Promise<void> {
    await this.quiet();
    this.#close();
    await this.platform.stop();
  }

  async create({ name, version, annotations = {} }: ServiceWanted): Promise<RecordedWrite["outcome"]> {
    const template = { metadata: { annotations: { "autoscaling.knative.dev/window": "6s", ...annotations } }, spec: { containers: containersOf(version) } };
    // Defaults fill in the rest of the types.
    const draft = {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name, namespace: NAMESPACE },
      spec: { template },
    } as unknown as Draft<Service>;
    return this.#record({ key: `ksvc/${name}`, value: String(version) }, async () => (await this.#client.create(Service, draft)).metadata.resourceVersion);
  }

  async change({ name, version }: ServiceWanted): Promise<void> {
    const patch = { type: "application/merge-patch+json", body: { spec: { template: { spec: { containers: containersOf(version) } } } } } as const;
    await this.#record(
      { key: `ksvc/${name}`, value: String(version) },
      async () => (await this.#client.patch(Service, { namespace: NAMESPACE, name }, patch)).metadata.resourceVersion,
    );
  }

  async remove(name: string): Promise<void> {
    await this.#record({ key: `ksvc/${name}`, value: undefined }, async () => void (await this.#client.delete(Service, { namespace: NAMESPACE, name })));
  }

  /** Sends SIGKILL to all `pids` at once and waits until those and `followers` have ended. */
  async kill(pids: readonly number[], followers: readonly number[] = []): Promise<void> {
    const sentMs = now();
    for (const pid of pids) process.kill(pid, "SIGKILL");
    while ([...pids, ...followers].some(isAlive)) await sleep(1);
    this.kills.push({ sentMs, deadMs: now() });
  }

  /** The state that a platform other than `before` announced. */
  async nextState(before: State): Promise<State> {
    const state = await eventually("the next platform is announced", async () => {
      const found = JSON.parse(readFileSync(join(this.platform.data, "run/state.json"), "utf8")) as State;
      return found.pid !== before.pid && isAlive(found.pid) && found;
    });
    this.platform.state = state;
    return state;
  }

  /** The value of each written key as the API shows it now. */
  async stored(): Promise<Map<string, string>> {
    const selector = { namespace: NAMESPACE, labelSelector: "kill.eider.dev/written=yes" };
    const maps = (await this.#client.list(ConfigMap, selector)).items.map(({ metadata, data }) => [metadata.name, data?.["value"] ?? ""] as const);
    const services = (await this.#client.list(Service, { namespace: NAMESPACE })).items
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map(
        ({ metadata, spec }) =>
          [`ksvc/${metadata.name}`, spec.template?.spec?.containers[0]?.env?.find(({ name }) => name === "VERSION")?.value ?? ""] as const,
      );
    return new Map([...maps, ...services]);
  }

  async snapshot(): Promise<Snapshot> {
    const services = (await this.#client.list(Service, { namespace: NAMESPACE })).items.map((service): ServiceFact => {
      const ready = service.status?.conditions?.find(({ type }) => type === "Ready");
      const current = service.status?.observedGeneration === service.metadata.generation;
      return { name: service.metadata.name, ready: current && ready?.status === "True", message: `${ready?.status ?? "no condition"} ${ready?.message ?? ""}` };
    });
    const deployments = (await this.#client.list(Deployment, { namespace: NAMESPACE })).items;
    const wanted = Object.fromEntries(deployments.map(({ metadata, spec }) => [metadata.labels?.[REVISION] ?? metadata.name, spec.replicas ?? 1]));
    const pods = (await this.#client.list(Pod, { namespace: NAMESPACE })).items.map(podFact);
    return { services, pods, wanted, processes: podProcesses(this.platform.data) };
  }

  /** How the container of a revision's first pod ended, once it has. */
  async terminated(revision: string): Promise<{ readonly exitCode: number; readonly reason?: string } | undefined> {
    const pods = await this.#client.list(Pod, { namespace: NAMESPACE, labelSelector: `${REVISION}=${revision}` });
    const status = pods.items[0]?.status?.containerStatuses?.[0];
    return status?.lastState?.terminated ?? status?.state?.terminated;
  }

  /** The host ports of a revision's pods. */
  async ports(revision: string): Promise<string[]> {
    const pods = await this.#client.list(Pod, { namespace: NAMESPACE, labelSelector: `${REVISION}=${revision}` });
    return pods.items.flatMap(({ metadata }) => /127\.0\.0\.1:(\d+)/.exec(metadata.annotations?.["eider.dev/addresses"] ?? "")?.[1] ?? []);
  }

  async #record({ key, value, into = this.#own() }: Recording, write: () => Promise<string | undefined>): Promise<RecordedWrite["outcome"]> {
    const before = into.findLast((each) => each.key === key)?.outcome ?? "acknowledged";
    const place = into.push({ key, value, outcome: "unknown" }) - 1;
    let outcome: RecordedWrite["outcome"] = "acknowledged";
    let revision: string | undefined;
    try {
      revision = await write();
    } catch (error) {
      // An answer of the API server says no; a broken connection says nothing.
      outcome = error instanceof StatusError && error.cause === undefined && error.reason !== "Timeout" ? "rejected" : "unknown";
      // After a write whose answer was lost, "not found" and "exists" are honest answers.
      if (outcome === "rejected" && before === "acknowledged") this.rejections.push(`${key}: ${String(error)}`);
    }
    into[place] = { key, value, outcome, ...(revision === undefined ? {} : { revision: Number(revision) }) };
    return outcome;
  }

  /** The writes of the one who kills, in their order. */
  #own(): RecordedWrite[] {
    return (this.writes[0] ??= []);
  }

  /** Creates ConfigMaps, changes each a few times and deletes every third; one at a time, so that the order is known. */
  async #write(rng: Rng): Promise<void> {
    const recorded: RecordedWrite[] = [];
    this.writes.push(recorded);
    const writer = this.writes.length;
    for (let map = 0; !this.#stopping.signal.aborted; map++) {
      const name = `w${writer}-${map}`;
      const metadata = { name, namespace: NAMESPACE, labels: LABEL };
      for (let value = 0; value < VALUES_PER_KEY && !this.#stopping.signal.aborted; value++) {
        const data = { value: String(value) };
        const body = { type: "application/merge-patch+json", body: { data } } as const;
        const write =
          value === 0
            ? () => this.#client.create(ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata, data })
            : () => this.#client.patch(ConfigMap, metadata, body);
        const outcome = await this.#record({ key: name, value: data.value, into: recorded }, async () => (await write()).metadata.resourceVersion);
        await sleep(outcome === "acknowledged" ? WRITE_PAUSE_MS : 50);
        // What became of the object is unknown: it is left as it is and looked at in the end.
        if (outcome !== "acknowledged") break;
        if (value === VALUES_PER_KEY - 1 && below(rng, 3) === 0) {
          await this.#record({ key: name, value: undefined, into: recorded }, async () => void (await this.#client.delete(ConfigMap, metadata)));
        }
      }
    }
  }

  async #load(name: string, keepAlive: boolean, rng: Rng): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!this.#stopping.signal.aborted) {
      await this.#ask(name, agent, below(rng, 40));
      await sleep(below(rng, REQUEST_PAUSE_MS * 2));
    }
    agent.destroy();
  }

  #ask(name: string, agent: Agent, sleepMs: number): Promise<void> {
    const host = `${name}.${NAMESPACE}.localhost`;
    let startedMs = now();
    return new Promise((done) => {
      const end = (outcome: FailedRequest["outcome"] | undefined): void => {
        if (outcome === undefined) this.#answered++;
        else this.#failed.push({ host, startedMs, endedMs: now(), outcome });
        done();
      };
      const call = request(`${this.platform.state.http}/?sleep=${sleepMs}`, { agent, headers: { Host: host }, timeout: REQUEST_LIMIT_MS }, (response) => {
        response.resume();
        response.once("end", () => end(response.statusCode === 200 ? undefined : { status: response.statusCode ?? 0 }));
        response.once("error", () => end("reset"));
      });
      call.once("socket", (socket) => {
        startedMs = this.#opened.get(socket) ?? startedMs;
        this.#opened.set(socket, startedMs);
      });
      let late = false;
      call.once("timeout", () => {
        late = true;
        call.destroy();
      });
      call.once("error", (error: NodeJS.ErrnoException) => end(late ? "timeout" : error.code === "ECONNREFUSED" ? "refused" : "reset"));
      call.end();
    });
  }

  /** The steady Service wants two pods from its first moment on, so a third process is a double at any moment. */
  async #watchSteady(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(250);
      const count = podProcesses(this.platform.data).filter(({ revision }) => revision === "steady-00001").length;
      this.steadyMost = Math.max(this.steadyMost, count);
    }
  }
}

function podFact({ metadata, status }: Pod): PodFact {
  const running = (status?.containerStatuses ?? []).filter(({ state, containerID }) => state?.running !== undefined && containerID !== undefined);
  return {
    uid: metadata.uid,
    name: metadata.name,
    revision: metadata.labels?.[REVISION] ?? "",
    terminating: metadata.deletionTimestamp !== undefined,
    containers: Object.fromEntries(running.map(({ name, containerID = "" }) => [name, containerID])),
    restarts: (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + (restartCount ?? 0), 0),
  };
}
