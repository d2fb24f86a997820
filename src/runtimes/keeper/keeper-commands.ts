// Commands beside containers, for engines whose commands are processes of the keeper.
//
//   fifos/                                    FIFOs of commands that are just starting
//   logs/<pod uid>/<container>/run-<n>.log    output of a short command, gone with it: the keeper writes it, so it lies where no pod can put a link
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock, Logger } from "#core";
import type { ProcessSpec } from "#protocol";
import { RUN_OUTPUT_BYTES_MAX, type CommandResult, type RunningContainer } from "../engine.ts";
import type { CommandRequest, RunningCommand } from "../port.ts";
import { startCommand } from "./command-session.ts";
import type { KeeperClient } from "./keeper-client.ts";
import type { KeeperContainers } from "./keeper-containers.ts";
import { runCommand } from "./run-command.ts";

export interface KeeperCommandsOptions {
  readonly keeper: KeeperClient;
  readonly containers: KeeperContainers;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly dataDir: string;
}

/** What of a command's process the engine decides; `outputFile` is that of the container. */
export type CommandSpec = Pick<ProcessSpec, "argv" | "through" | "env" | "cwd" | "user" | "outputFile">;

export class KeeperCommands {
  readonly #options: KeeperCommandsOptions;
  readonly #fifosDir: string;
  #count = 0;

  constructor(options: KeeperCommandsOptions) {
    this.#options = options;
    this.#fifosDir = join(options.dataDir, "fifos");
    // What is there is of commands that an earlier platform was about to start: engines are made before the first of ours.
    rmSync(this.#fifosDir, { recursive: true, force: true });
    mkdirSync(this.#fifosDir, { recursive: true, mode: 0o700 });
  }

  exec({ id, over }: RunningContainer, spec: CommandSpec, { stdin, tty }: Pick<CommandRequest, "stdin" | "tty">): Promise<RunningCommand> {
    const { keeper, clock, logger, containers } = this.#options;
    const tools = { keeper, clock, logger, exitOf: (process: string) => containers.processExit(process), fifosDir: this.#fifosDir };
    return startCommand(tools, { spec: { ...spec, id: this.#nextId(id, "exec"), outputBytesMax: RUN_OUTPUT_BYTES_MAX }, stdin, tty, over });
  }

  run(
    { id, over }: RunningContainer,
    spec: CommandSpec,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<CommandResult> {
    const { keeper, clock, containers } = this.#options;
    const process = { ...spec, id: this.#nextId(id, "run"), outputBytesMax: RUN_OUTPUT_BYTES_MAX };
    const outputFile = join(dirname(spec.outputFile), `run-${this.#count}.log`);
    const tools = { keeper, clock, exitOf: (name: string) => containers.processExit(name) };
    return runCommand(tools, { ...process, outputFile }, { timeoutMs, signal: AbortSignal.any([signal, over]) });
  }

  #nextId(id: string, what: string): string {
    return `${this.#options.containers.processId(id)}/${what}-${++this.#count}`;
  }
}
