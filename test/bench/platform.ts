// A platform of the packed build, driven through its API and its gateway from outside.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { promisify } from "node:util";
import { createClient, createHttpTransport, loadKubeconfigFile, type Client } from "#client";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { ConfigMap, Service, SYSTEM_NAMESPACE } from "#kinds";
import { childrenOf, programOf, type Program } from "./proc.ts";

const run = promisify(execFile);
const NAMESPACE = "default";

export interface State {
  readonly http: string;
  /** Where names inside the cluster are served. */
  readonly internal: string;
  /** `localhost:5000`, as it stands in images' names. */
  readonly registry: string;
  readonly kubeconfig: string;
  readonly pid: number;
  readonly keeperPid: number;
  readonly readyMs: number;
}

export interface ServiceOptions {
  readonly image: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly containerConcurrency?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly runtimeClassName?: string;
}

export class BenchPlatform {
  readonly state: State;
  readonly data: string;
  readonly client: Client;
  readonly #command: string;
  readonly #close: () => void;

  constructor(options: { readonly state: State; readonly data: string; readonly command: string; readonly client: Client; readonly close: () => void }) {
    this.state = options.state;
    this.data = options.data;
    this.client = options.client;
    this.#command = options.command;
    this.#close = options.close;
  }

  /** `under`: a command that it runs under, as `taskset -c 1`. */
  static async start(command: string, under: readonly string[] = []): Promise<BenchPlatform> {
    const data = mkdtempSync(join(tmpdir(), "eider-bench-"));
    try {
      const [program, ...args] = [...under, command];
      const { stdout } = await run(program, [
        ...args,
        "up",
        "--detach",
        "--data",
        data,
        "--api-port",
        "0",
        "--http-port",
        "0",
        "--registry-port",
        "0",
        "--orphan-grace",
        "10s",
      ]);
      const state = JSON.parse(stdout) as State;
      const transport = createHttpTransport({ ...(await loadKubeconfigFile(state.kubeconfig)), clock: systemClock, logger: silentLogger, userAgent: "bench" });
      const client = createClient(transport);
      return new BenchPlatform({ state, data, command, client, close: () => transport.close() });
    } catch (error) {
      rmSync(data, { recursive: true, force: true });
      throw error;
    }
  }

  async stop(): Promise<void> {
    this.#close();
    await run(this.#command, ["down", "--purge", "--data", this.data]);
    rmSync(this.data, { recursive: true, force: true });
  }

  async build(folder: string, image: string): Promise<void> {
    await run(this.#command, ["build", folder, "--image", image, "--data", this.data]);
  }

  async configure(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    await this.client.patch(ConfigMap, { namespace: SYSTEM_NAMESPACE, name }, { type: "application/merge-patch+json", body: { data } });
  }

  async create(name: string, options: ServiceOptions): Promise<void> {
    await this.client.create(Service, {
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { name, namespace: NAMESPACE },
      spec: { template: templateOf(options) },
    });
  }

  /** A new revision. */
  async update(name: string, options: ServiceOptions): Promise<void> {
    const body = { spec: { template: templateOf(options) } };
    await this.client.patch(Service, { namespace: NAMESPACE, name }, { type: "application/merge-patch+json", body });
  }

  /** Creates all at once; answers with the milliseconds from the first request to Ready, as a watcher outside sees it, by name. */
  async createReady(names: readonly string[], options: ServiceOptions, signal: AbortSignal): Promise<Map<string, number>> {
    const ready = new Map<string, number>();
    const missing = new Set(names);
    const { resourceVersion } = await this.client.list(Service, { namespace: NAMESPACE, limit: 1 });
    const over = new AbortController();
    const watching = this.client.watch(Service, { namespace: NAMESPACE, resourceVersion }, AbortSignal.any([signal, over.signal]));
    const from = performance.now();
    const seen = (async () => {
      for await (const { object } of watching) {
        const { name } = object.metadata;
        const isReady = object.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True");
        if (isReady !== true || !missing.delete(name)) continue;
        ready.set(name, performance.now() - from);
        if (missing.size === 0) return;
      }
    })();
    await Promise.all([seen, ...names.map((name) => this.create(name, options))]);
    over.abort();
    signal.throwIfAborted();
    return ready;
  }

  /** Deletes Services and waits until their processes have ended. */
  async delete(names: readonly string[], signal: AbortSignal): Promise<void> {
    await Promise.all(names.map((name) => this.client.delete(Service, { namespace: NAMESPACE, name })));
    const gone = new Set(names);
    while (this.pods().some(({ program }) => gone.has(program.env["K_SERVICE"] ?? ""))) await systemClock.sleep(50, signal);
  }

  /** The pods' processes. */
  pods(): { readonly pid: number; readonly program: Program }[] {
    return childrenOf(this.state.keeperPid).flatMap((pid) => {
      if (pid === this.state.pid) return [];
      try {
        return [{ pid, program: programOf(pid) }];
      } catch {
        return [];
      }
    });
  }

  podOf(service: string): { readonly pid: number; readonly program: Program } {
    const pod = this.pods().find(({ program }) => program.env["K_SERVICE"] === service);
    if (pod === undefined) throw new Error(`no process of ${service} runs`);
    return pod;
  }

  get httpPort(): number {
    return Number(new URL(this.state.http).port);
  }

  hostOf(service: string): string {
    return `${service}.${NAMESPACE}.localhost`;
  }
}

function templateOf({ image, annotations = {}, containerConcurrency = 0, env = {}, runtimeClassName }: ServiceOptions) {
  const variables = Object.entries(env).map(([name, value]) => ({ name, value }));
  return {
    metadata: { annotations },
    spec: { ...(runtimeClassName === undefined ? {} : { runtimeClassName }), containerConcurrency, containers: [{ image, env: variables }] },
  };
}

export interface Answer {
  readonly status: number;
  readonly ms: number;
  /** Milliseconds by the names of `Server-Timing`. */
  readonly receipt: Readonly<Record<string, number>>;
}

/** One GET over a connection of its own; throws when the port is closed. */
export function ask(port: number, host: string): Promise<Answer> {
  const from = performance.now();
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let text = "";
    socket.setEncoding("latin1");
    socket.once("connect", () => socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    socket.on("data", (chunk: string) => (text += chunk));
    socket.once("error", reject);
    socket.once("close", () => resolve({ status: Number(text.slice(9, 12)), ms: performance.now() - from, receipt: receiptOf(text) }));
  });
}

function receiptOf(text: string): Record<string, number> {
  const value = /^Server-Timing: (.*)$/im.exec(text)?.[1] ?? "";
  return Object.fromEntries([...value.matchAll(/([a-z-]+);dur=([0-9.]+)/g)].map(([, name = "", ms]) => [name, Number(ms)]));
}
