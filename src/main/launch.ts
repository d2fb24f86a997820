// Starting, finding and ending platforms from the command line.
import { spawn } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CliError, type ControllersOptions, type PlatformState, type UpOptions } from "#cli";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { KEEPER_SOCKET_FILE } from "#protocol";
import { connectKeeper, KeeperError, type KeeperClient } from "#runtimes/keeper";
import { clearContainerDaemon } from "./container-daemon.ts";
import { dataFolder, prepareDataFolder } from "./data-folder.ts";
import { controllersArgument, nodeFlags, upArgument } from "./options.ts";
import { VERSION } from "./version.ts";

/** Time that pods and platform have to end. */
const DOWN_GRACE_MS = 10_000;
/** Lines of the log that a failed start shows. */
const LOG_LINES = 20;

function keeperCommand(options: UpOptions): string[] {
  const { data, host, domain, apiPort, httpPort, internalPort, registryPort, registryAuth, externalPort, orphanGraceMs, diskBudget, containerHost, format } =
    options;
  const entry = fileURLToPath(import.meta.resolve("#entry/keeper"));
  const request = {
    dataDir: data,
    host,
    domain,
    apiPort,
    httpPort,
    internalPort,
    registryPort,
    registryAuth,
    externalPort,
    orphanGraceMs,
    diskBudget,
    containerHost,
    format: options.detach ? ("json" as const) : format,
  };
  return [...nodeFlags(process.execArgv), entry, upArgument(request)];
}

/** This process becomes the keeper: Ctrl-C reaches it directly, and no third process stays in memory. */
export function becomeKeeper(options: UpOptions): never {
  prepareDataFolder(options.data);
  process.execve?.(process.execPath, [process.execPath, ...keeperCommand(options)], process.env);
  throw new Error("this Node.js cannot replace the process");
}

/** This process becomes the controllers of a cluster. */
export function becomeControllers(options: ControllersOptions): never {
  const entry = fileURLToPath(import.meta.resolve("#entry/cluster-controllers"));
  process.execve?.(process.execPath, [process.execPath, ...nodeFlags(process.execArgv), entry, controllersArgument(options)], process.env);
  throw new Error("this Node.js cannot replace the process");
}

/** Starts a keeper in the background and waits for its line. */
export async function startDetached(options: UpOptions, signal: AbortSignal): Promise<PlatformState> {
  const folder = prepareDataFolder(options.data);
  const path = join(folder.log, "start.log");
  // Appended to: a platform that runs on this folder writes there, too.
  const log = openSync(path, "a", 0o600);
  const before = fstatSync(log).size;
  const keeper = spawn(process.execPath, keeperCommand(options), { detached: true, stdio: ["ignore", "pipe", log], env: process.env });
  const { stdout } = keeper;
  closeSync(log);
  if (stdout === null) throw new Error("the keeper's output is a pipe");
  const onAbort = (): void => void keeper.kill("SIGTERM");
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    const line = await new Promise<string | undefined>((resolve) => {
      let text = "";
      stdout.setEncoding("utf8");
      stdout.on("data", (chunk: string) => {
        text += chunk;
        if (text.includes("\n")) resolve(text.slice(0, text.indexOf("\n")));
      });
      keeper.once("exit", () => resolve(undefined));
      keeper.once("error", () => resolve(undefined));
    });
    if (line === undefined) throw failedStart(readFileSync(path).subarray(before).toString(), folder.log);
    return JSON.parse(line) as PlatformState;
  } finally {
    signal.removeEventListener("abort", onAbort);
    stdout.destroy();
    keeper.unref();
  }
}

/**
 * Takes over from the platform that runs on the folder when it is of another version, or when asked to. Undefined when none
 * runs, or one of this version; throws when the keeper does not know how, or the hand-over failed: the platform serves on then.
 */
export async function takeOver(options: UpOptions, signal: AbortSignal): Promise<PlatformState | undefined> {
  const { data } = options;
  if (!existsSync(join(data, KEEPER_SOCKET_FILE)) || !existsSync(join(dataFolder(data).run, "state.json"))) return undefined;
  const running = JSON.parse(readFileSync(join(dataFolder(data).run, "state.json"), "utf8")) as Partial<PlatformState>;
  if (running.version === VERSION && !options.takeOver) return undefined;
  const keeper = await connectKeeper({ dataDir: data, clock: systemClock, logger: silentLogger }, signal).catch((error: unknown) => {
    // Nobody is there any more: an ordinary start.
    if (!(error instanceof KeeperError) || error.reason === "Gone") return undefined;
    throw handOverFailed(error, data);
  });
  if (keeper === undefined) return undefined;
  try {
    const entry = fileURLToPath(import.meta.resolve("#entry/platform"));
    const program = { execPath: process.execPath, execArgv: [...nodeFlags(process.execArgv), entry] };
    const { line } = await keeper.call({ do: "takeOver", program });
    if (line === undefined) throw new KeeperError("Refused", "it did not tell where the platform is");
    return JSON.parse(line) as PlatformState;
  } catch (error) {
    throw handOverFailed(error as Error, data);
  } finally {
    keeper.close();
  }
}

function handOverFailed(cause: Error, data: string): CliError {
  const hint = `eider down --data ${data}, then eider up: requests fail in between`;
  return new CliError("failed", `the platform that runs did not hand over: ${cause.message}`, { hint, cause });
}

function failedStart(said: string, logDir: string): CliError {
  const lines = said.trimEnd().split("\n").slice(-LOG_LINES);
  const text = lines.join("\n").replace(/^Error: /, "");
  return new CliError("failed", `the platform did not start: ${text === "" ? "it ended without a word" : text}`, { hint: `look at the logs in ${logDir}` });
}

async function findKeeper(data: string, signal: AbortSignal): Promise<KeeperClient | undefined> {
  if (!existsSync(join(data, "keeper.sock"))) return undefined;
  return connectKeeper({ dataDir: data, clock: systemClock, logger: silentLogger }, signal).catch(() => undefined);
}

/** What the running platform of a folder said when it became ready; undefined when none runs. */
export async function stateOf(data: string, signal: AbortSignal): Promise<PlatformState | undefined> {
  const keeper = await findKeeper(data, signal);
  if (keeper === undefined) return undefined;
  keeper.close();
  const file = join(dataFolder(data).run, "state.json");
  if (!existsSync(file)) throw new CliError("timedOut", "the platform is starting", { hint: `eider status --data ${data}` });
  return JSON.parse(readFileSync(file, "utf8")) as PlatformState;
}

/** Ends the platform of a folder and waits until it is gone; false when none runs. */
export async function endPlatform(data: string, options: { readonly purge: boolean }, signal: AbortSignal): Promise<boolean> {
  const keeper = await findKeeper(data, signal);
  if (keeper !== undefined) {
    await keeper.call({ do: "shutdown", graceMs: DOWN_GRACE_MS }).catch(() => undefined);
    await keeper.closed;
    // The processes end a moment after the socket.
    const until = systemClock.monotonicMs() + 2 * DOWN_GRACE_MS;
    while ((existsSync(join(data, "keeper.sock")) || isInUse(data)) && systemClock.monotonicMs() < until) await systemClock.sleep(20, signal);
  }
  // A platform that ended in order has left nothing, one that was killed has.
  if (existsSync(join(data, "sandbox")) && !isInUse(data)) {
    const { removeSandboxes } = await import("#runtimes/remove-sandboxes");
    await removeSandboxes({ dataDir: data, path: process.env["PATH"] ?? "" });
  }
  if (keeper !== undefined || options.purge) await clearContainers(data, options.purge);
  if (options.purge) removeDataFolder(data);
  return keeper !== undefined;
}

/** A platform that ended in order has done so itself; one that was killed has not. */
async function clearContainers(data: string, purge: boolean): Promise<void> {
  try {
    await clearContainerDaemon({ dataDir: data, purge, env: process.env, clock: systemClock });
  } catch (error) {
    process.stderr.write(`Warning: containers may be left in the daemon: ${(error as Error).message}\n`);
  }
}

/** Only what a platform made, and only when none uses it. */
function removeDataFolder(data: string): void {
  if (!existsSync(data)) return;
  if (!existsSync(join(data, "keeper.lock"))) throw new CliError("usage", `${data} is no data folder of a platform: nothing was removed`);
  if (isInUse(data)) throw new CliError("failed", `${data} is still in use: nothing was removed`, { hint: `eider down --data ${data}` });
  rmSync(data, { recursive: true, force: true });
}

/** Whether the processes that last served the folder run. */
function isInUse(data: string): boolean {
  const file = join(dataFolder(data).run, "state.json");
  if (!existsSync(file)) return false;
  const { pid, keeperPid } = JSON.parse(readFileSync(file, "utf8")) as PlatformState;
  return isOurs(keeperPid) || isOurs(pid);
}

/** Whether one of our programs runs under this pid, which may be somebody else's by now. An ended one has no command line. */
function isOurs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("--eider-");
  } catch {
    return !existsSync("/proc/self") && isThere(pid);
  }
}

/** For systems without /proc. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
