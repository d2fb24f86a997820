// The keeper's life: it adopts processes, keeps a platform running, answers requests, and ends all in order.
import { join } from "node:path";
import type { Clock, Logger, Rng } from "#core";
import { keeperSocketPath, type ProcessIdentity } from "#protocol";
import { openControlSocket, type Answer, type ControlSocket, type Handler } from "./control-socket.ts";
import type { DataLock } from "./data-lock.ts";
import { isRunning } from "./identity.ts";
import type { ListeningSockets } from "./listening-sockets.ts";
import { PlatformChild, type PlatformProgram } from "./platform-child.ts";
import { ProcessRecords } from "./process-records.ts";
import { Processes } from "./processes.ts";

export interface KeeperOptions {
  /** Absolute. The keeper's working folder should be this one: the socket's path may not be long. */
  readonly dataDir: string;
  /** The caller took it before the sockets were opened; released at the end. */
  readonly lock: DataLock;
  readonly sockets: ListeningSockets;
  readonly platform: PlatformProgram;
  /** From `KeeperStart`: the platform that started this keeper; it is waited for until it drains, or ended, before the next one starts. */
  readonly previousPlatform?: ProcessIdentity;
  readonly orphanGraceMs: number;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly logger: Logger;
  /** Called with the line of each platform's `ready`. */
  readonly onReady: (line: string) => void;
  /** Called when all processes have ended and the data folder is still ours. */
  readonly onEnded?: () => Promise<void>;
}

/** Why the keeper ended: asked to, no platform came up in time, or the platform refused to start for good. */
export type KeeperEnd = "shutdown" | "orphaned" | "refused";

/** Grace of an end by signal; a `shutdown` request brings its own. */
const SIGNAL_GRACE_MS = 10_000;
/** A platform whose keeper died has this long to end before it is killed. */
const PREVIOUS_PLATFORM_MS = 5_000;

/** Runs until a `shutdown` request, an abort of `signal` or the orphan grace; all its processes have ended then. */
export async function runKeeper(options: KeeperOptions, signal: AbortSignal): Promise<KeeperEnd> {
  const { dataDir, clock, logger, lock } = options;
  const path = keeperSocketPath(dataDir, process.cwd());
  if (path === undefined) throw new Error(`the path of ${dataDir} is too long for a Unix socket, and the working folder is not that folder`);
  const running = new AbortController();
  const end = Promise.withResolvers<{ readonly why: KeeperEnd; readonly graceMs: number }>();
  let control: ControlSocket | undefined;
  const processes = new Processes({
    records: new ProcessRecords(join(dataDir, "processes")),
    clock,
    logger,
    onExit: (id, exit) => control?.notify({ notice: "exited", process: id, exit }),
  });
  const platform = new PlatformChild(options);
  const { previousPlatform } = options;
  let previousDrains = false;
  processes.adopt();
  const onAbort = (): void => end.resolve({ why: "shutdown", graceMs: SIGNAL_GRACE_MS });
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  control = await openControlSocket(
    path,
    handlerFor({
      processes,
      platform,
      onReady: options.onReady,
      onShutdown: (graceMs) => end.resolve({ why: "shutdown", graceMs }),
      onReleased: (pid) => (previousDrains ||= pid === previousPlatform?.pid),
    }),
    logger,
  );
  const watching = processes.watch(running.signal);
  if (previousPlatform !== undefined) await endPrevious(previousPlatform, clock, () => previousDrains);
  const platformRun = platform.run(running.signal).then((why) => {
    if (why !== "aborted") end.resolve({ why, graceMs: SIGNAL_GRACE_MS });
  });
  const { why, graceMs } = await end.promise;
  logger.info("keeper ends", { why, graceMs });
  signal.removeEventListener("abort", onAbort);
  running.abort();
  await Promise.all([watching, platformRun]);
  const ending = new AbortController();
  if (previousPlatform !== undefined && isRunning(previousPlatform)) process.kill(previousPlatform.pid, "SIGTERM");
  await platform.end(graceMs, ending.signal);
  if (previousPlatform !== undefined) await endPrevious(previousPlatform, clock, () => false);
  await processes.endAll(graceMs, ending.signal);
  await options.onEnded?.().catch((err: unknown) => logger.warn("not all that was made on the machine is removed", { err }));
  await control.close();
  lock.release();
  return why;
}

interface Parts {
  readonly processes: Processes;
  readonly platform: PlatformChild;
  readonly onReady: (line: string) => void;
  readonly onShutdown: (graceMs: number) => void;
  readonly onReleased: (pid: number) => void;
}

function handlerFor({ processes, platform, onReady, onShutdown, onReleased }: Parts): Handler {
  const nothing: Answer = {};
  return (request) => {
    switch (request.do) {
      case "start":
        return processes.start(request.process).then((identity) => ({ pid: identity.pid, identity }));
      case "signal":
        processes.signal(request.process, request.signal);
        return nothing;
      case "forget":
        processes.forget(request.process);
        return nothing;
      case "list":
        return { processes: processes.list() };
      case "ready":
        platform.ready(request.line);
        onReady(request.line);
        return nothing;
      case "replaceSocket":
        platform.resendSocket(request.thread);
        return nothing;
      case "released":
        onReleased(request.pid);
        return nothing;
      case "takeOver":
        return platform.takeOver(request.program).then((line) => ({ line }));
      case "shutdown":
        onShutdown(request.graceMs);
        return nothing;
      default:
        throw new Error(`unknown request ${JSON.stringify((request as { do: unknown }).do)}`);
    }
  };
}

/** Two platforms must never write one store: the old one lets go of it first, or ends, by itself or by force. */
async function endPrevious(previous: ProcessIdentity, clock: Clock, drains: () => boolean): Promise<void> {
  const never = new AbortController().signal;
  const until = clock.monotonicMs() + PREVIOUS_PLATFORM_MS;
  while (isRunning(previous) && clock.monotonicMs() < until && !drains()) await clock.sleep(10, never);
  if (drains()) return;
  if (isRunning(previous)) process.kill(previous.pid, "SIGKILL");
  while (isRunning(previous)) await clock.sleep(5, never);
}
