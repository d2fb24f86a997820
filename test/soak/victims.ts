// Killing parts of a platform so that it is known what they held: processes are stopped, looked at and killed; a thread ends itself in the same turn.
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, sleep } from "../e2e/kill-world.ts";
import { eventually } from "../e2e/platform.ts";
import type { SoakKill } from "./facts.ts";

const now = (): number => performance.now();

/** The kernel's table is read in pieces and may lose a line to a change in between; a stopped process loses nothing. */
const LOOKS = 3;

/** Ports of the clients whose connections to `port` the stopped process holds. */
function heldBy(pid: number, port: number): Set<number> {
  return new Set(Array.from({ length: LOOKS }, () => [...lookAt(pid, port)]).flat());
}

function lookAt(pid: number, port: number): Set<number> {
  const inodes = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)));
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n").slice(1);
  const held = lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = "", , , , , , , , inode = ""]) => Number.parseInt(local.split(":")[1] ?? "", 16) === port && inodes.has(`socket:[${inode}]`))
    .map(([, , remote = ""]) => Number.parseInt(remote.split(":")[1] ?? "", 16));
  return new Set(held.filter((remote) => remote > 0));
}

/** Whether no thread runs any more: the signal reaches those on other processors a moment later, and one may yet accept a connection. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8");
    return /^[TtZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** SIGKILL of a process that is stopped before, so that it accepts nothing between the look and its end; `others` die of it. */
export async function killProcess(what: "platform" | "keeper" | "pod", pid: number, port: number, others: readonly number[] = []): Promise<SoakKill> {
  const fromMs = now();
  for (const each of [pid, ...others]) process.kill(each, "SIGSTOP");
  while (![pid, ...others].every(isStopped)) await sleep(1);
  const held = new Set([pid, ...others].flatMap((each) => [...heldBy(each, port)]));
  const heldMs = now();
  process.kill(pid, "SIGKILL");
  for (const each of others) process.kill(each, "SIGCONT");
  while (isAlive(pid)) await sleep(1);
  return { what, pid, fromMs, toMs: now(), held, heldMs };
}

/** How a gateway thread is made to die. */
export type Death = "exit" | "throw";

/**
 * A gateway thread of the platform ends, in a turn in which it has written down whose connections it holds. It is told by
 * Node's own debugger, which a platform started with NODE_OPTIONS=--inspect-port=0 opens at SIGUSR1 and names in `log`.
 */
export async function killThread(
  pid: number,
  log: string,
  options: { readonly port: number; readonly thread: number; readonly death: Death },
): Promise<SoakKill> {
  const folder = mkdtempSync(join(tmpdir(), "eider-thread-"));
  const file = join(folder, "held.json");
  const before = readFileSync(log, "utf8").length;
  const life = lifeOf(pid);
  process.kill(pid, "SIGUSR1");
  const url = await eventually("the platform's debugger listens", async () => {
    const text = readFileSync(log, "utf8");
    return /ws:\/\/\S+/.exec(text.slice(before))?.[0] ?? urls.get(life);
  });
  urls.set(life, url);
  const fromMs = now();
  try {
    await evaluateInWorker(url, "gateway-thread", options.thread, expressionFor({ ...options, file }));
    const { held, at } = JSON.parse(readFileSync(file, "utf8")) as { readonly held: number[]; readonly at: number };
    return { what: "thread", pid, fromMs, toMs: now(), held: new Set(held), heldMs: at - performance.timeOrigin };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The debugger of a process, by its life, which says its address once. */
const urls = new Map<string, string>();

/** The process with this pid and no later one: when it began, too. */
function lifeOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const began = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  return `${pid} ${began ?? ""}`;
}

function expressionFor({ port, death, file }: { readonly port: number; readonly death: Death; readonly file: string }): string {
  const held = `process._getActiveHandles().filter((handle) => handle.localPort === ${port} && handle.remotePort > 0).map((handle) => handle.remotePort)`;
  const write = `process.getBuiltinModule("node:fs").writeFileSync(${JSON.stringify(file)}, JSON.stringify({ held: ${held}, at: performance.timeOrigin + performance.now() }))`;
  const end = death === "exit" ? "process.exit()" : `throw new Error("planted by the soak")`;
  // The debugger breaks in anywhere, also between a connection's accept and its first line of JavaScript, where nobody could name it.
  return `process.nextTick(() => { ${write}; ${end}; })`;
}

/** Resolves when the worker has ended. */
function evaluateInWorker(url: string, name: string, index: number, expression: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = new WebSocket(url);
  let id = 0;
  const call = (method: string, params: object): void => socket.send(JSON.stringify({ id: ++id, method, params }));
  let seen = 0;
  let session: string | undefined;
  socket.addEventListener("open", () => call("NodeWorker.enable", { waitForDebuggerOnStart: false }));
  socket.addEventListener("error", () => reject(new Error("the platform's debugger does not answer")));
  socket.addEventListener("close", () => reject(new Error("the platform's debugger is gone")));
  socket.addEventListener("message", (event) => {
    const { method, params } = JSON.parse(String(event.data)) as { method?: string; params?: { sessionId: string; workerInfo: { url: string } } };
    if (method === "NodeWorker.attachedToWorker" && params?.workerInfo.url.includes(name) === true && seen++ === index) {
      session = params.sessionId;
      const message = JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } });
      call("NodeWorker.sendMessageToWorker", { sessionId: session, message });
    } else if (method === "NodeWorker.detachedFromWorker" && params?.sessionId === session) {
      resolve();
      socket.close();
    }
  });
  return promise;
}
