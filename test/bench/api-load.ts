// The load of `bench api`, over one HTTP/2 connection as Kubernetes' own clients use it: writers, readers, watchers.
import { connect, type ClientHttp2Session } from "node:http2";
import { performance } from "node:perf_hooks";

export interface ApiAccess {
  readonly server: string;
  readonly token: string;
  readonly ca: string;
}

/** What a stretch of load came to. */
export interface Done {
  readonly operations: number;
  readonly failed: number;
  readonly ms: number;
}

const STREAM_MS_MAX = 60_000;
/** About what a small ConfigMap of an application weighs. */
const DATA = { "config.json": "x".repeat(700), color: "blue" };

export class ApiLoad {
  readonly #session: ClientHttp2Session;
  /** Watches have a connection of their own: a server allows only so many streams on one. */
  readonly #watching: ClientHttp2Session;
  readonly #token: string;
  readonly #namespace: string;
  #made = 0;

  constructor({ server, token, ca }: ApiAccess, namespace: string) {
    this.#session = connect(server, { ca, settings: { enablePush: false } });
    this.#watching = connect(server, { ca, settings: { enablePush: false } });
    this.#token = token;
    this.#namespace = namespace;
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.#namespace}/configmaps`;
  }

  close(): void {
    this.#session.destroy();
    this.#watching.destroy();
  }

  /** One request; resolves with the status once the whole answer has come. */
  #ask(method: string, path: string, body?: object): Promise<number> {
    const sent = body === undefined ? undefined : JSON.stringify(body);
    const stream = this.#session.request({
      ":method": method,
      ":path": path,
      authorization: `Bearer ${this.#token}`,
      accept: "application/json",
      ...(sent === undefined ? {} : { "content-type": "application/json" }),
    });
    stream.setTimeout(STREAM_MS_MAX, () => stream.close());
    return new Promise((resolve, reject) => {
      let status = 0;
      stream.once("response", (headers) => (status = Number(headers[":status"])));
      stream.once("error", reject);
      stream.once("close", () => resolve(status));
      stream.resume();
      stream.end(sent);
    });
  }

  async createNamespace(): Promise<void> {
    await this.#ask("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: this.#namespace } });
  }

  /** `count` objects are created by `writers` at once, each waiting for its answer. */
  write(count: number, writers: number): Promise<Done> {
    const from = this.#made;
    this.#made += count;
    return this.#repeat(count, writers, (index) =>
      this.#ask("POST", this.#path, { apiVersion: "v1", kind: "ConfigMap", metadata: { name: `made-${from + index}`, labels: { app: "bench" } }, data: DATA }),
    );
  }

  /** Single objects are read. */
  read(count: number, readers: number): Promise<Done> {
    return this.#repeat(count, readers, (index) => this.#ask("GET", `${this.#path}/made-${index % this.#made}`));
  }

  /** Lists of 500 objects are read. */
  list(count: number, readers: number): Promise<Done> {
    return this.#repeat(count, readers, () => this.#ask("GET", `${this.#path}?limit=500`));
  }

  /** `watchers` follow the namespace while one writer creates `count` objects; an operation is an event that has arrived. */
  async watch(count: number, watchers: number): Promise<Done> {
    const wanted = count * watchers;
    let events = 0;
    let arrived = (): void => {};
    const all = new Promise<void>((resolve) => (arrived = resolve));
    const revision = await this.#revision();
    const streams = await Promise.all(
      Array.from({ length: watchers }, async () => {
        const stream = this.#watching.request({
          ":path": `${this.#path}?watch=true&resourceVersion=${revision}`,
          authorization: `Bearer ${this.#token}`,
          accept: "application/json",
        });
        stream.on("data", (chunk: Buffer) => {
          for (const byte of chunk) if (byte === 0x0a) events++;
          if (events >= wanted) arrived();
        });
        await new Promise((resolve, reject) => stream.once("response", resolve).once("error", reject));
        return stream;
      }),
    );
    const from = performance.now();
    const { failed } = await this.write(count, 1);
    await all;
    const ms = performance.now() - from;
    for (const stream of streams) stream.close();
    return { operations: events, failed, ms };
  }

  #revision(): Promise<string> {
    const stream = this.#session.request({ ":path": `${this.#path}?limit=1`, authorization: `Bearer ${this.#token}`, accept: "application/json" });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    return new Promise((resolve, reject) => {
      stream.once("error", reject);
      stream.once("close", () => resolve((JSON.parse(text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion));
      stream.end();
    });
  }

  async #repeat(count: number, workers: number, work: (index: number) => Promise<number>): Promise<Done> {
    let next = 0;
    let failed = 0;
    const from = performance.now();
    const worker = async (): Promise<void> => {
      for (let index = next++; index < count; index = next++) {
        const status = await work(index);
        if (status < 200 || status > 299) failed++;
      }
    };
    await Promise.all(Array.from({ length: workers }, worker));
    return { operations: count, failed, ms: performance.now() - from };
  }
}
