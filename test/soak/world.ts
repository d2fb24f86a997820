// A platform with Services under load, and what is done to it: everything that happens is recorded as facts.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, createHttpTransport, loadKubeconfigFile, type Client } from "#client";
import { below, silentLogger, type Rng } from "#core";
import { systemClock } from "#host";
import { Service } from "#kinds";
import type { Draft } from "#schema";
import { isAlive, podProcesses, sleep } from "../e2e/kill-world.ts";
import { eventually, Platform, root, type State } from "../e2e/platform.ts";
import { send } from "./clients.ts";
import type { Facts, Kind, PodLine, Shift, SoakKill, SoakRequest } from "./facts.ts";

const NAMESPACE = "default";
const IMAGE = "dev.local/soak";
const READY_MS = 60_000;
/** Each client goes on with one of these. */
const KINDS: readonly Kind[] = ["get", "get", "get", "post", "post", "events", "socket"];

interface Target {
  readonly revision: string;
  readonly percent?: number;
  readonly tag?: string;
}

const now = (): number => performance.now();

export class SoakWorld {
  readonly platform: Platform;
  readonly kills: SoakKill[] = [];
  readonly shifts: Shift[] = [];
  readonly requests: SoakRequest[] = [];
  readonly #client: Client;
  readonly #close: () => void;
  readonly #folder: string;
  readonly #stopping = new AbortController();
  readonly #clients: Promise<void>[] = [];
  /** Share of its time that a client works, 0 … 1; changes with the hour. */
  pace = 1;
  #ids = 0;
  #version = 1;
  #targets: readonly Target[] = [{ revision: "shift-v1", percent: 100 }];

  private constructor(platform: Platform, folder: string, client: Client, close: () => void) {
    this.platform = platform;
    this.#folder = folder;
    this.#client = client;
    this.#close = close;
  }

  static async start(): Promise<SoakWorld> {
    const folder = mkdtempSync(join(tmpdir(), "eider-soak-"));
    chmodSync(folder, 0o777);
    writeFileSync(join(folder, "pods.log"), "");
    chmodSync(join(folder, "pods.log"), 0o666);
    const platform = await Platform.start({ args: ["--orphan-grace", "60s"], env: { ...process.env, NODE_OPTIONS: "--inspect-port=0" } });
    const built = await platform.eider("build", join(root, "test/soak/app"), "--image", IMAGE);
    const access = await loadKubeconfigFile(platform.state.kubeconfig);
    const transport = createHttpTransport({ ...access, clock: systemClock, logger: silentLogger, userAgent: "soak", timeoutMs: 10_000 });
    const world = new SoakWorld(platform, folder, createClient(transport), () => transport.close());
    try {
      if (built.code !== 0) throw new Error(`build failed: ${built.stderr}`);
      await world.#create("steady", { "min-scale": "2", "max-scale": "2" });
      await world.#create("single", { "min-scale": "1", "max-scale": "3" }, 1);
      await world.#create("zero", {});
      await world.#create("shift", { "min-scale": "1" });
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  get facts(): Facts {
    const lines = readFileSync(join(this.#folder, "pods.log"), "utf8").trim().split("\n");
    const pods = lines.filter(Boolean).map((line) => {
      const [what, pid, id] = line.split(" ");
      return { what: what as PodLine["what"], pid: Number(pid), id: id ?? "" };
    });
    return { requests: this.requests, kills: this.kills, shifts: this.shifts, pods };
  }

  get httpPort(): number {
    return Number(new URL(this.platform.state.http).port);
  }

  /** Clients begin to send; half of them keep their connections, the others open one for each request. */
  begin(count: number, rng: () => Rng): void {
    const names = ["steady", "shift", "single", "steady", "shift", "t-shift", "zero", "steady"];
    for (let index = 0; index < count; index++) this.#clients.push(this.#run(`${names[index % names.length]}.${NAMESPACE}.localhost`, index % 2 === 0, rng()));
  }

  async quiet(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#clients);
  }

  async stop(): Promise<void> {
    await this.quiet();
    this.#close();
    await this.platform.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A new revision takes all traffic; the tag stays where it is. */
  async rollOut(): Promise<void> {
    const revision = `shift-v${++this.#version}`;
    const template = { metadata: { name: revision }, spec: { containers: [{ image: IMAGE, env: this.#env(this.#version) }] } };
    await this.#change(
      [
        ...this.#targets.filter(({ tag }) => tag !== undefined).map(({ revision: its, tag = "" }) => ({ revision: its, tag, percent: 0 })),
        { revision, percent: 100 },
      ],
      template,
    );
  }

  /** Traffic is shared with the revision before. */
  async shiftTraffic(percent: number): Promise<void> {
    const latest = `shift-v${this.#version}`;
    const before = `shift-v${Math.max(1, this.#version - 1)}`;
    const tags = this.#targets.filter(({ tag }) => tag !== undefined).map(({ revision, tag = "" }) => ({ revision, tag, percent: 0 }));
    if (latest === before) return this.rollOut();
    await this.#change([...tags, { revision: latest, percent }, { revision: before, percent: 100 - percent }]);
  }

  /** The tag moves to the latest revision, or to the one before. */
  async moveTag(toLatest: boolean): Promise<void> {
    const revision = `shift-v${Math.max(1, toLatest ? this.#version : this.#version - 1)}`;
    await this.#change([...this.#targets.filter(({ tag }) => tag === undefined), { revision, tag: "t", percent: 0 }]);
  }

  /** The process of a pod that serves the given Service, by chance; undefined when there is none just now. */
  podOf(service: string, rng: Rng): number | undefined {
    const pids = podProcesses(this.platform.data).filter(({ revision }) => revision.startsWith(service));
    return pids[below(rng, Math.max(1, pids.length))]?.pid;
  }

  /** The state that another platform announces. */
  async nextState(before: State): Promise<void> {
    this.platform.state = await eventually("the next platform is announced", async () => {
      const found = JSON.parse(readFileSync(join(this.platform.data, "run/state.json"), "utf8")) as State;
      return found.pid !== before.pid && isAlive(found.pid) && found;
    });
  }

  #env(version: number): { readonly name: string; readonly value: string }[] {
    return [
      { name: "SOAK_LOG", value: join(this.#folder, "pods.log") },
      { name: "VERSION", value: String(version) },
    ];
  }

  async #create(name: string, annotations: Readonly<Record<string, string>>, containerConcurrency = 0): Promise<void> {
    const prefixed = Object.fromEntries(Object.entries({ window: "6s", ...annotations }).map(([key, value]) => [`autoscaling.knative.dev/${key}`, value]));
    const revision = `${name}-v1`;
    const spec = { containerConcurrency, containers: [{ image: IMAGE, env: this.#env(1) }] };
    const template = { metadata: { name: revision, annotations: prefixed }, spec };
    // Defaults fill in the rest of the types.
    const draft = { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: { name, namespace: NAMESPACE }, spec: { template } };
    const fromMs = now();
    await this.#client.create(Service, draft as unknown as Draft<Service>);
    const readyMs = await this.#ready(name);
    this.shifts.push({ host: `${name}.${NAMESPACE}.localhost`, revisions: [revision], fromMs, readyMs });
  }

  /** Writes the traffic of `shift`, again and again while the platform comes and goes, and waits until it is Ready. */
  async #change(targets: readonly Target[], template?: object): Promise<void> {
    const traffic = targets.map(({ revision, ...rest }) => ({ revisionName: revision, ...rest }));
    const body = { spec: { traffic, ...(template === undefined ? {} : { template }) } };
    const fromMs = now();
    const host = `shift.${NAMESPACE}.localhost`;
    const tagHost = `t-${host}`;
    const shares = targets.filter(({ percent }) => (percent ?? 0) > 0).map(({ revision }) => revision);
    const tagged = targets.filter(({ tag }) => tag !== undefined).map(({ revision }) => revision);
    const place = this.shifts.push({ host, revisions: shares, fromMs, readyMs: undefined }, { host: tagHost, revisions: tagged, fromMs, readyMs: undefined });
    await eventually(
      "the change of traffic is written",
      async () => {
        try {
          await this.#client.patch(Service, { namespace: NAMESPACE, name: "shift" }, { type: "application/merge-patch+json", body });
          return true;
        } catch {
          return false;
        }
      },
      READY_MS,
    );
    this.#targets = targets;
    const readyMs = await this.#ready("shift");
    this.shifts[place - 2] = { host, revisions: shares, fromMs, readyMs };
    this.shifts[place - 1] = { host: tagHost, revisions: tagged, fromMs, readyMs };
  }

  /** When it was first seen to be Ready in its present form. */
  #ready(name: string): Promise<number> {
    return eventually(
      `Service ${name} is ready`,
      async () => {
        const service = await this.#client.get(Service, NAMESPACE, name).catch(() => undefined);
        const ready = service?.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
        return ready && service?.status?.observedGeneration === service?.metadata.generation && now();
      },
      READY_MS,
    );
  }

  async #run(host: string, keepAlive: boolean, rng: Rng): Promise<void> {
    const agent = new Agent({ keepAlive, maxSockets: 1 });
    while (!this.#stopping.signal.aborted) {
      // Before the first tag the tag's host does not exist.
      if (this.shifts.some((shift) => shift.host === host && shift.revisions.length > 0 && shift.readyMs !== undefined)) {
        const kind = KINDS[below(rng, KINDS.length)] ?? "get";
        const bodyBytes = below(rng, 4) === 0 ? 200_000 : 500;
        this.requests.push(await send({ id: `r${this.#ids++}`, kind, at: this.platform.state.http, host, agent, sleepMs: below(rng, 60), bodyBytes }));
      }
      const pauseMs = host.startsWith("zero") ? 1_000 + below(rng, 9_000) : below(rng, 60);
      await sleep(pauseMs / this.pace);
    }
    agent.destroy();
  }
}
