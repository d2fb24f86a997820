// As much of a daemon as the engine asks of one, in memory: containers with a name, a state and labels. It notes what it is asked for.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

export interface StandInContainer {
  readonly Id: string;
  Name: string;
  readonly Config: { readonly Labels: Readonly<Record<string, string>> };
  readonly State: { Running: boolean; Paused: boolean; ExitCode: number; Pid: number };
}

export class StandInDaemon {
  readonly containers = new Map<string, StandInContainer>();
  /** `POST create NAME`, `POST start NAME` and so on, in order; not what lists, nor outputs. */
  readonly asked: string[] = [];
  readonly path: string;
  /** What it answers to a name that is taken: Docker 409, Podman 500. */
  takenStatus = 409;
  /** Names of containers that it refuses to start. */
  readonly broken = new Set<string>();
  /** As `docker info` names the machine: this one's name means that its containers are reached. */
  machine = "another";
  /** What it waits for before it answers a list, or removes a container of that name; it lists what is there then. */
  holds: (what: string) => Promise<void> | undefined = () => undefined;
  /** Of each container that was created, by its first name. */
  readonly bodies = new Map<string, { readonly HostConfig: { readonly Mounts?: readonly { readonly Source: string; readonly Target: string }[] } }>();
  #count = 0;

  private constructor(path: string) {
    this.path = path;
  }

  static async start(t: TestContext): Promise<StandInDaemon> {
    const folder = mkdtempSync(join(tmpdir(), "eider-daemon-"));
    const daemon = new StandInDaemon(join(folder, "d.sock"));
    const server = createServer((request, response) => void daemon.#answer(request, response));
    t.after(() => {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true, force: true });
    });
    await new Promise<void>((resolve) => server.listen(daemon.path, resolve));
    return daemon;
  }

  /** By a part of its name. */
  named(part: string): StandInContainer {
    const found = [...this.containers.values()].find(({ Name }) => Name.includes(part));
    if (found === undefined) throw new Error(`no container is named ${part}`);
    return found;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request as AsyncIterable<Buffer>) text += String(chunk);
    const url = new URL(request.url ?? "", "http://d");
    const [, , key = ""] = url.pathname.replace("/v1.41", "").split("/");
    await this.holds(key === "json" ? "list" : `${request.method} ${this.containers.get(key)?.Name ?? key}`);
    const [status, body] = this.#done(request.method ?? "", url.pathname.replace("/v1.41", ""), url.searchParams, text);
    response.writeHead(status).end(body === undefined ? "" : JSON.stringify(body));
  }

  #done(method: string, path: string, query: URLSearchParams, text: string): [number, unknown?] {
    if (path === "/version") return [200, { Version: "4.3.1", Arch: "amd64", Components: [{ Name: "Podman Engine" }] }];
    if (path === "/info") return [200, { Name: this.machine }];
    if (path.startsWith("/networks/")) return [200, { IPAM: { Config: [{ Subnet: "10.1.0.0/16", Gateway: "10.1.0.1" }] } }];
    if (path.startsWith("/images/")) return [200, { Id: "sha256:1", Config: {} }];
    if (path === "/containers/json") return [200, this.#list(query.get("filters") ?? "{}")];
    if (path === "/containers/create") return this.#create(query.get("name") ?? "", text);
    const [, , key = "", verb = ""] = path.split("/");
    const found = this.containers.get(key) ?? [...this.containers.values()].find(({ Name }) => Name === key);
    if (verb !== "logs") this.asked.push(`${method} ${verb === "" ? "remove" : verb} ${found?.Name ?? key}`);
    if (found === undefined) return [404, { message: "no such container" }];
    if (method === "DELETE") return this.containers.delete(found.Id) ? [204] : [404];
    if (verb === "json") return [200, { ...found, NetworkSettings: { IPAddress: "10.1.0.2" } }];
    if (verb === "rename") found.Name = query.get("name") ?? "";
    return this.#changed(found, verb);
  }

  #list(filters: string): object[] {
    const { label = [], name = [] } = JSON.parse(filters) as { readonly label?: readonly string[]; readonly name?: readonly string[] };
    return [...this.containers.values()]
      .filter(({ Name }) => name.every((part) => Name.includes(part)))
      .filter(({ Config: { Labels } }) => label.every((each) => Object.entries(Labels).some((pair) => pair.join("=") === each)))
      .map(({ Id, Name, Config, State }) => ({ Id, Names: [`/${Name}`], Labels: Config.Labels, State: State.Running ? "running" : "exited" }));
  }

  #create(name: string, text: string): [number, unknown?] {
    this.asked.push(`POST create ${name}`);
    if ([...this.containers.values()].some(({ Name }) => Name === name)) return [this.takenStatus, { message: "that name is already in use" }];
    const body = JSON.parse(text) as { readonly Labels: Readonly<Record<string, string>>; readonly HostConfig: object };
    const { Labels } = body;
    this.bodies.set(name, body);
    const Id = `id${++this.#count}`;
    this.containers.set(Id, { Id, Name: name, Config: { Labels }, State: { Running: false, Paused: false, ExitCode: 0, Pid: 0 } });
    return [201, { Id }];
  }

  #changed({ Name, State }: StandInContainer, verb: string): [number, unknown?] {
    if (verb === "start" && this.broken.has(Name)) return [500, { message: "it does not start" }];
    if (verb === "start") State.Running = true;
    if (verb === "kill") State.Running = false;
    if (verb === "pause" || verb === "unpause") {
      if (!State.Running) return [409, { message: "it does not run" }];
      State.Paused = verb === "pause";
    }
    return [204];
  }
}
