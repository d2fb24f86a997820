// An engine without containers: it notes what it is asked for, and containers end when the test says so.
import assert from "node:assert/strict";
import type { CoreContainer, Pod } from "#kinds";
import type {
  CommandResult,
  ContainerEngine,
  ContainerStart,
  EngineContainer,
  EngineExit,
  ImageAnswer,
  PodAddresses,
  PodPlace,
  RunningContainer,
  RuntimeName,
} from "../engine.ts";

export class FakeEngine implements ContainerEngine {
  readonly name: RuntimeName;
  readonly starts = new Map<string, ContainerStart>();
  readonly log: string[] = [];
  /** What a command answers, by its words. */
  readonly results = new Map<string, CommandResult>();
  /** Commands that end when the test says so. */
  readonly commands = new Map<string, Promise<CommandResult>>();
  place: PodPlace = { podIP: "127.0.0.1", hostIP: "127.0.0.1", sharesPorts: false };
  /** Port of 127.0.0.1 for every container port. */
  port = 1;
  /** Containers whose image it was asked for. */
  readonly asked: string[] = [];
  onImage: (container: CoreContainer, signal: AbortSignal) => Promise<ImageAnswer> = () => Promise.resolve({ digest: "sha256:1" });
  readonly #ended = new Map<string, PromiseWithResolvers<EngineExit | null>>();

  notHonoured = () => [];
  sweep = () => Promise.resolve();
  freeze = () => Promise.resolve();
  thaw = () => Promise.resolve();
  usage = () => Promise.resolve(undefined);
  openInput = () => Promise.resolve(undefined);
  exec = () => Promise.reject(new Error("there are no commands here"));

  constructor(name: RuntimeName = "container") {
    this.name = name;
  }

  image(_pod: Pod, container: CoreContainer, signal: AbortSignal): Promise<ImageAnswer> {
    this.asked.push(container.name);
    return this.onImage(container, signal);
  }

  list(): Promise<readonly EngineContainer[]> {
    return Promise.resolve([...this.starts.keys()].map((id) => ({ id, identity: this.#identity(id), running: true })));
  }

  open(pod: Pod): Promise<PodPlace> {
    this.log.push(`open ${pod.metadata.name}`);
    return Promise.resolve(this.place);
  }

  addresses({ spec }: Pod): PodAddresses {
    const ports = spec.containers.flatMap((container) => container.ports ?? []);
    return Object.fromEntries(ports.map(({ containerPort }) => [String(containerPort), `127.0.0.1:${this.port}`]));
  }

  /** A start fails with it. */
  refuse: Error | undefined;

  start(start: ContainerStart) {
    if (this.refuse !== undefined) return Promise.reject(this.refuse);
    assert.ok(!this.starts.has(start.id), "started twice");
    this.starts.set(start.id, start);
    this.#ended.set(start.id, Promise.withResolvers());
    this.log.push(`start ${start.container.name}`);
    return Promise.resolve(this.#identity(start.id));
  }

  signal(id: string, signal: string): Promise<void> {
    this.log.push(`${signal} ${id.split("/")[1]}`);
    if (signal === "SIGKILL") this.exit(id.split("/")[1] ?? "", { exitCode: 137 });
    return Promise.resolve();
  }

  exitOf(id: string): Promise<EngineExit | null> {
    return this.#ended.get(id)?.promise ?? Promise.resolve(null);
  }

  forget(id: string): Promise<void> {
    this.starts.delete(id);
    return Promise.resolve();
  }

  run(at: RunningContainer, argv: readonly string[]): Promise<CommandResult> {
    this.log.push(`run ${at.container.name}: ${argv.join(" ")}`);
    return this.commands.get(argv.join(" ")) ?? Promise.resolve(this.results.get(argv.join(" ")) ?? { exitCode: 0, output: "" });
  }

  close(pod: Pod): Promise<void> {
    this.log.push(`close ${pod.metadata.name}`);
    return Promise.resolve();
  }

  /** A container of the pod `u1` ends. */
  exit(container: string, exit: Partial<EngineExit> = {}): void {
    this.#ended.get(`u1/${container}`)?.resolve({ exitCode: 0, oomKilled: false, atWallMs: 0, ...exit });
  }

  /** How a container of the pod `u1` was started. */
  started(container: string): ContainerStart {
    const start = this.starts.get(`u1/${container}`);
    assert.ok(start !== undefined, `no start of ${container}: ${this.log.join()}`);
    return start;
  }

  #identity(id: string) {
    return { containerId: `fake://${id}`, pid: undefined };
  }
}
