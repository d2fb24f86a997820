// The platform as the keeper's child: started with the sockets, restarted when it dies: at once when it had served, else with backoff.
import { spawn, type ChildProcess } from "node:child_process";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { ListeningSockets } from "./listening-sockets.ts";
import { platformArgs, renumbered } from "./start-args.ts";

/** Exit code of a platform that cannot start and would not the next time either (newer format, unreadable folder). */
export const PLATFORM_REFUSED = 78;

const RESTART: BackoffPolicy = { baseMs: 50, maxMs: 10_000, jitter: 0.2 };
/** stdin, stdout, stderr and the IPC channel come before the sockets. */
const FIRST_SOCKET_FD = 4;

export interface PlatformProgram {
  readonly execPath: string;
  /** `["--conditions=source", entryFile]` */
  readonly execArgv: readonly string[];
  /** Handed through as `PlatformStart.argv`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface PlatformChildOptions {
  readonly dataDir: string;
  readonly sockets: ListeningSockets;
  readonly platform: PlatformProgram;
  readonly orphanGraceMs: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
}

type Exit = { readonly code: number | null; readonly signal: string | null };

export class PlatformChild {
  readonly #options: PlatformChildOptions;
  #child: ChildProcess | undefined;
  #exited: Promise<Exit> = Promise.resolve({ code: null, signal: null });
  #ready = false;
  #attempt = 0;
  #epoch = 0;
  #downSinceMs: number;

  constructor(options: PlatformChildOptions) {
    this.#options = options;
    this.#downSinceMs = options.clock.monotonicMs();
  }

  /** Keeps a platform running until the signal aborts. Answers why it gave up: none came up for the orphan grace, or it refused. */
  async run(signal: AbortSignal): Promise<"orphaned" | "refused" | "aborted"> {
    const { clock, rng, logger, orphanGraceMs } = this.#options;
    while (!signal.aborted) {
      this.#start();
      const verdict = await this.#untilExitOrGrace(signal);
      if (signal.aborted) break;
      if (verdict === "grace") return "orphaned";
      logger.error("platform ended", { code: verdict.code, signal: verdict.signal, wasReady: this.#ready });
      if (verdict.code === PLATFORM_REFUSED) return "refused";
      const waitMs = this.#ready ? 0 : backoffMs(RESTART, this.#attempt++, rng);
      if (this.#ready) this.#downSinceMs = clock.monotonicMs();
      this.#ready = false;
      if (clock.monotonicMs() + waitMs >= this.#downSinceMs + orphanGraceMs) return "orphaned";
      await clock.sleep(waitMs, signal).catch(() => undefined);
    }
    return "aborted";
  }

  /** The platform serves: the backoff starts anew and the orphan grace is off until it dies. */
  ready(): void {
    this.#ready = true;
    this.#attempt = 0;
  }

  /** Sends the socket of a gateway thread once more. */
  resendSocket(thread: number): void {
    if (this.#child?.connected !== true) throw new Error("the platform has no channel to the keeper");
    this.#options.sockets.resend(this.#child, thread);
  }

  /** SIGTERM, then SIGKILL after `graceMs`; answers when it has ended. */
  async end(graceMs: number, signal: AbortSignal): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    child.kill("SIGTERM");
    const timer = new AbortController();
    await Promise.race([this.#exited, this.#options.clock.sleep(graceMs, AbortSignal.any([signal, timer.signal])).catch(() => undefined)]);
    timer.abort();
    child.kill("SIGKILL");
    await this.#exited;
  }

  #start(): void {
    const { platform, dataDir, sockets, logger } = this.#options;
    const numbers = renumbered(sockets.numbers, FIRST_SOCKET_FD);
    const start = { dataDir, sockets: numbers, epoch: this.#epoch++, argv: platform.argv };
    const child = spawn(platform.execPath, [...platform.execArgv, ...platformArgs(start)], {
      cwd: dataDir,
      env: { ...platform.env },
      stdio: ["ignore", "inherit", "inherit", "ipc", ...sockets.fds],
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      // Not once: every socket that cannot be sent to a dying platform is an error of its own.
      child.on("error", (error) => {
        logger.error(child.pid === undefined ? "platform cannot be started" : "platform was not reached", { err: error });
        if (child.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    logger.info("platform started", { pid: child.pid, epoch: start.epoch });
  }

  /** The exit, or "grace" when the platform did not become ready in time. */
  async #untilExitOrGrace(signal: AbortSignal): Promise<Exit | "grace"> {
    const { clock, orphanGraceMs } = this.#options;
    const over = new AbortController();
    const aborted = new Promise<Exit>((resolve) =>
      signal.addEventListener("abort", () => resolve({ code: null, signal: null }), { once: true, signal: over.signal }),
    );
    const grace = clock.sleep(Math.max(0, this.#downSinceMs + orphanGraceMs - clock.monotonicMs()), over.signal).then(
      () => (this.#ready ? undefined : ("grace" as const)),
      () => undefined,
    );
    try {
      const first = await Promise.race([this.#exited, aborted, grace]);
      return first ?? (await Promise.race([this.#exited, aborted]));
    } finally {
      over.abort();
    }
  }
}
