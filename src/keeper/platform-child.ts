// The platform as the keeper's child: started with the sockets, restarted when it dies: at once when it had served, else with
// backoff; and handed over to another program while it serves.
//
//   takeOver → next: starts, loads → `prepared` → old: `release` → lets go of the store, its gateway threads serve on → `released`
//            → next: `go` → its gateway threads serve, too, by the last routing state → control plane → ready
//            → old: hears from the next one that it accepts connections, drains and ends
import { spawn, type ChildProcess } from "node:child_process";
import { backoffMs, type BackoffPolicy, type Clock, type Logger, type Rng } from "#core";
import type { PlatformProgramSpec } from "#protocol";
import type { ListeningSockets } from "./listening-sockets.ts";
import { stepOf, type HandOverStep } from "./platform-link.ts";
import { platformArgs, renumbered } from "./start-args.ts";

/** Exit code of a platform that cannot start and would not the next time either (newer format, unreadable folder). */
export const PLATFORM_REFUSED = 78;

const RESTART: BackoffPolicy = { baseMs: 50, maxMs: 10_000, jitter: 0.2 };
/** stdin, stdout, stderr and the IPC channel come before the sockets. */
const FIRST_SOCKET_FD = 4;
/** A program that is not prepared by then is no platform of ours. */
const PREPARE_MS = 30_000;
/** A platform that is alive and just starting is not absent: on a slow machine it has so long, also where the orphan grace is shorter. */
const START_MS = 60_000;
/** A platform that has not let go of its store by then is killed: the next one serves all the same. */
const RELEASE_MS = 10_000;
/** Platforms before the present one that still drain. */
const DRAINING_MAX = 4;

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

/** A platform process, whatever it does just now. */
interface Running {
  readonly child: ChildProcess;
  readonly exited: Promise<Exit>;
  readonly startedMs: number;
}

export class PlatformChild {
  readonly #options: PlatformChildOptions;
  #program: PlatformProgram;
  /** In force again when the present one dies before it is ready. */
  #programBefore: PlatformProgram | undefined;
  #running: Running | undefined;
  readonly #draining = new Set<Running>();
  #handingOver = false;
  /** Resolved when another process became the platform. */
  #replaced = Promise.withResolvers<"replaced">();
  #becameReady = Promise.withResolvers<string>();
  #ready = false;
  #attempt = 0;
  #epoch = 0;
  #downSinceMs: number;

  constructor(options: PlatformChildOptions) {
    this.#options = options;
    this.#program = options.platform;
    this.#downSinceMs = options.clock.monotonicMs();
  }

  /** Keeps a platform running until the signal aborts. Answers why it gave up: none came up for the orphan grace, or it refused. */
  async run(signal: AbortSignal): Promise<"orphaned" | "refused" | "aborted"> {
    const { clock, rng, logger, orphanGraceMs } = this.#options;
    this.#running = this.#start(this.#program, false);
    while (!signal.aborted) {
      const verdict = await this.#untilExitOrGrace(signal);
      if (signal.aborted) break;
      if (verdict === "replaced") continue;
      if (verdict === "grace") return "orphaned";
      logger.error("platform ended", { code: verdict.code, signal: verdict.signal, wasReady: this.#ready });
      // The one that takes over follows; should it fail, we are back here.
      if (this.#handingOver) {
        await Promise.race([this.#replaced.promise, aborted(signal)]);
        continue;
      }
      if (!this.#backToProgramBefore() && verdict.code === PLATFORM_REFUSED) return "refused";
      const waitMs = this.#ready ? 0 : backoffMs(RESTART, this.#attempt++, rng);
      if (this.#ready) this.#downSinceMs = clock.monotonicMs();
      this.#ready = false;
      if (clock.monotonicMs() + waitMs >= this.#downSinceMs + orphanGraceMs) return "orphaned";
      await clock.sleep(waitMs, signal).catch(() => undefined);
      if (!signal.aborted) this.#running = this.#start(this.#program, false);
    }
    return "aborted";
  }

  /** The platform serves: the backoff starts anew and the orphan grace is off until it dies. */
  ready(line: string): void {
    this.#ready = true;
    this.#attempt = 0;
    this.#programBefore = undefined;
    this.#becameReady.resolve(line);
  }

  /** Sends the socket of a gateway thread once more. */
  resendSocket(thread: number): void {
    const child = this.#running?.child;
    if (child?.connected !== true) throw new Error("the platform has no channel to the keeper");
    this.#options.sockets.resend(child, thread);
  }

  /** Another program takes over from the one that serves; answers with the line of its `ready`. Throws when it does not, and the old one serves on. */
  async takeOver(spec: PlatformProgramSpec): Promise<string> {
    const { logger } = this.#options;
    if (!this.#ready || this.#handingOver) throw new Error("the platform is just starting: try again once it is ready");
    if (this.#draining.size >= DRAINING_MAX) throw new Error(`${this.#draining.size} platforms before this one still drain: try again later`);
    this.#handingOver = true;
    try {
      const program = { ...this.#program, ...spec };
      const next = this.#start(program, true);
      logger.info("hand-over begins", { pid: next.child.pid });
      const prepared = await this.#stepOr(next, "prepared", PREPARE_MS);
      if (prepared !== "prepared") {
        next.child.kill("SIGKILL");
        throw new Error(`the other program was not ready to take over (${prepared}); the platform serves on`);
      }
      await this.#release();
      this.#programBefore = this.#program;
      this.#program = program;
      this.#ready = false;
      this.#downSinceMs = this.#options.clock.monotonicMs();
      this.#becameReady = Promise.withResolvers();
      this.#running = next;
      tell(next.child, "go");
    } finally {
      this.#handingOver = false;
      this.#replaced.resolve("replaced");
      this.#replaced = Promise.withResolvers();
    }
    return this.#becameReady.promise;
  }

  /** SIGTERM, then SIGKILL after `graceMs`; answers when it has ended, and what still drained with it. */
  async end(graceMs: number, signal: AbortSignal): Promise<void> {
    const all = [...this.#draining, ...(this.#running === undefined ? [] : [this.#running])];
    for (const { child } of all) child.kill("SIGTERM");
    const timer = new AbortController();
    const exits = Promise.all(all.map(({ exited }) => exited));
    await Promise.race([exits, this.#options.clock.sleep(graceMs, AbortSignal.any([signal, timer.signal])).catch(() => undefined)]);
    timer.abort();
    for (const { child } of all) child.kill("SIGKILL");
    await exits;
  }

  /** The platform that serves lets go of the store and begins to be one that drains. */
  async #release(): Promise<void> {
    const old = this.#running;
    if (old === undefined) return;
    this.#draining.add(old);
    void old.exited.then((exit) => {
      this.#draining.delete(old);
      this.#options.logger.info("platform has drained", { pid: old.child.pid, ...exit });
    });
    tell(old.child, "release");
    const released = await this.#stepOr(old, "released", RELEASE_MS);
    if (released === "released") return;
    this.#options.logger.warn("platform did not let go", { pid: old.child.pid, why: released });
    old.child.kill("SIGKILL");
    await old.exited;
  }

  /** The step, or why it did not come. */
  async #stepOr({ child, exited }: Running, step: HandOverStep, limitMs: number): Promise<string> {
    const over = new AbortController();
    const told = new Promise<string>((resolve) => {
      const listen = (message: unknown): void => void (stepOf(message) === step && resolve(step));
      child.on("message", listen);
      over.signal.addEventListener("abort", () => child.off("message", listen), { once: true });
    });
    const late = this.#options.clock.sleep(limitMs, over.signal).then(
      () => `nothing was heard for ${limitMs / 1000} s`,
      () => "",
    );
    const ended = exited.then(({ code, signal }) => `it ended with ${signal ?? `code ${code ?? "unknown"}`}`);
    try {
      return await Promise.race([told, ended, late]);
    } finally {
      over.abort();
    }
  }

  /** Whether a program that took over died before it was ready, and the one before it has its place again. */
  #backToProgramBefore(): boolean {
    const before = this.#programBefore;
    if (before === undefined) return false;
    this.#options.logger.error("the program that took over did not come up: the one before it is started again");
    this.#program = before;
    this.#programBefore = undefined;
    this.#becameReady.reject(new Error("the other program did not come up after it had taken over; the one before it was started again"));
    return true;
  }

  #start(platform: PlatformProgram, handOver: boolean): Running {
    const { dataDir, sockets, clock, logger } = this.#options;
    const numbers = renumbered(sockets.numbers, FIRST_SOCKET_FD);
    const kept = renumbered(sockets.numbers, FIRST_SOCKET_FD + sockets.fds.length);
    const start = { dataDir, sockets: numbers, kept, epoch: this.#epoch++, argv: platform.argv, ...(handOver ? { handOver } : {}) };
    const child = spawn(platform.execPath, [...platform.execArgv, ...platformArgs(start)], {
      cwd: dataDir,
      env: { ...platform.env },
      stdio: ["ignore", "inherit", "inherit", "ipc", ...sockets.fds, ...sockets.fds],
    });
    const exited = new Promise<Exit>((resolve) => {
      child.once("exit", (code, signal) => resolve({ code, signal }));
      // Not once: every socket that cannot be sent to a dying platform is an error of its own.
      child.on("error", (error) => {
        logger.error(child.pid === undefined ? "platform cannot be started" : "platform was not reached", { err: error });
        if (child.pid === undefined) resolve({ code: null, signal: null });
      });
    });
    logger.info("platform started", { pid: child.pid, epoch: start.epoch });
    return { child, exited, startedMs: clock.monotonicMs() };
  }

  /** The exit, "replaced" by a hand-over, or "grace" when the platform did not become ready in time. */
  async #untilExitOrGrace(signal: AbortSignal): Promise<Exit | "grace" | "replaced"> {
    const { clock, orphanGraceMs } = this.#options;
    const over = new AbortController();
    const exited = this.#running?.exited ?? Promise.resolve({ code: null, signal: null });
    const replaced = this.#replaced.promise;
    const end = aborted(AbortSignal.any([signal, over.signal]));
    const untilMs = Math.max(this.#downSinceMs + orphanGraceMs, (this.#running?.startedMs ?? 0) + START_MS);
    const grace = clock.sleep(Math.max(0, untilMs - clock.monotonicMs()), over.signal).then(
      () => (this.#ready ? undefined : ("grace" as const)),
      () => undefined,
    );
    try {
      const first = await Promise.race([exited, replaced, end, grace]);
      return first ?? (await Promise.race([exited, replaced, end]));
    } finally {
      over.abort();
    }
  }
}

function tell(child: ChildProcess, step: HandOverStep): void {
  if (child.connected) child.send({ handOver: step });
}

function aborted(signal: AbortSignal): Promise<Exit> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve({ code: null, signal: null });
    else signal.addEventListener("abort", () => resolve({ code: null, signal: null }), { once: true });
  });
}
