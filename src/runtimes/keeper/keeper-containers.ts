// Containers that are processes of the keeper: what every engine needs that starts them.
import type { Logger } from "#core";
import type { ProcessExit, ProcessIdentity, ProcessSpec, ProcessState } from "#protocol";
import { EngineGoneError, type EngineContainer, type EngineExit, type EngineIdentity, type RuntimeName } from "../engine.ts";
import { containerId, engineExit } from "./exit-code.ts";
import { KeeperError, type KeeperClient } from "./keeper-client.ts";

export interface KeeperContainersOptions {
  readonly keeper: KeeperClient;
  readonly logger: Logger;
  readonly runtime: RuntimeName;
}

/** One keeper serves several engines: the processes of `process` are named like their container, those of others have the runtime before it. */
export class KeeperContainers {
  readonly #options: KeeperContainersOptions;
  readonly #prefix: string;
  /** Those that run or are being started. */
  readonly #held = new Set<string>();
  /** Exits by process: a notice may come before or after somebody asks. */
  readonly #waiting = new Map<string, (exit: ProcessExit | null) => void>();
  readonly #early = new Map<string, ProcessExit | null>();
  #listed: readonly ProcessState[] = [];

  constructor(options: KeeperContainersOptions) {
    this.#options = options;
    this.#prefix = options.runtime === "process" ? "" : `${options.runtime}:`;
    options.keeper.onNotice(({ process, exit }) => {
      if (this.#isOurs(process)) this.#tell(process, exit);
    });
  }

  /** The keeper's name for a container, or for a command of it. */
  processId(id: string): string {
    return `${this.#prefix}${id}`;
  }

  async list(): Promise<readonly EngineContainer[]> {
    const { processes = [] } = await this.#options.keeper.call({ do: "list" });
    this.#listed = processes.filter(({ id }) => this.#isOurs(id));
    for (const { id, running, exit } of this.#listed) {
      if (running) this.#held.add(this.#containerOf(id));
      else this.#tell(id, exit ?? null);
    }
    return this.#listed
      .filter(({ id }) => !isCommand(id))
      .map(({ id, identity, running, exit }) => ({
        id: this.#containerOf(id),
        identity: this.#identityOf(identity),
        running,
        ...(running ? {} : { exit: engineExit(exit ?? null) }),
      }));
  }

  /** Processes without a pod, and commands of an earlier platform: nobody wants them any more. */
  async sweep(podUids: ReadonlySet<string>): Promise<void> {
    const { keeper, logger } = this.#options;
    for (const { id, running } of this.#listed.filter((state) => isCommand(state.id) || !podUids.has(this.#containerOf(state.id).split("/")[0] ?? ""))) {
      logger.info("process without a pod is ended", { process: id });
      if (running)
        await keeper
          .call({ do: "signal", process: id, signal: "SIGKILL" })
          .catch((error: unknown) => logger.warn("process was not ended", { process: id, err: error }));
      void this.processExit(id)
        .then(() => keeper.call({ do: "forget", process: id }))
        .catch((error: unknown) => logger.warn("process was not forgotten", { process: id, err: error }));
    }
    this.#listed = [];
  }

  /** `id` of the spec is the container's. Throws EngineGoneError when the keeper did not live to answer. */
  async start(spec: ProcessSpec): Promise<EngineIdentity> {
    const process = { ...spec, id: this.processId(spec.id) };
    this.#held.add(spec.id);
    const { identity } = await this.#options.keeper.call({ do: "start", process }).catch((error: unknown) => {
      this.#held.delete(spec.id);
      throw error instanceof KeeperError && error.reason === "Gone" ? new EngineGoneError(error.message, error) : error;
    });
    if (identity === undefined) throw new Error("the keeper did not tell the process");
    return this.#identityOf(identity);
  }

  /** Whether it runs or is being started. */
  holds(id: string): boolean {
    return this.#held.has(id);
  }

  async signal(id: string, signal: "SIGTERM" | "SIGKILL" | "SIGSTOP" | "SIGCONT"): Promise<void> {
    await this.#options.keeper.call({ do: "signal", process: this.processId(id), signal });
  }

  async exitOf(id: string): Promise<EngineExit | null> {
    return engineExit(await this.processExit(this.processId(id)));
  }

  /** By the keeper's name, for commands. */
  processExit(processId: string): Promise<ProcessExit | null> {
    const known = this.#early.get(processId);
    if (known === undefined && !this.#early.has(processId)) return new Promise((resolve) => this.#waiting.set(processId, resolve));
    this.#early.delete(processId);
    return Promise.resolve(known ?? null);
  }

  async forget(id: string): Promise<void> {
    await this.#options.keeper.call({ do: "forget", process: this.processId(id) });
  }

  #isOurs(processId: string): boolean {
    const container = processId.split("/")[0] ?? "";
    return this.#prefix === "" ? !container.includes(":") : container.startsWith(this.#prefix);
  }

  #containerOf(processId: string): string {
    return processId.slice(this.#prefix.length);
  }

  #identityOf(identity: ProcessIdentity): EngineIdentity {
    return { containerId: containerId(this.#options.runtime, identity), pid: identity.pid };
  }

  #tell(processId: string, exit: ProcessExit | null): void {
    const waiter = this.#waiting.get(processId);
    this.#waiting.delete(processId);
    this.#held.delete(this.#containerOf(processId));
    if (waiter === undefined) this.#early.set(processId, exit);
    else waiter(exit);
  }
}

/** `<pod uid>/<container>/<command>`. */
function isCommand(processId: string): boolean {
  return processId.split("/").length > 2;
}
