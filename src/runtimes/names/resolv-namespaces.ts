// Mount namespaces in which /etc/resolv.conf is another text: one a text, for programs that see the machine's files otherwise. A descriptor of ours
// holds each one, so that nothing of it has a name on the machine, and a platform that dies leaves nothing behind; programs inside keep theirs.
//
//   run/resolv-conf/<n>   the texts, which are bound over /etc/resolv.conf inside
import { execFile, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, realpathSync, rmSync, watch, writeFileSync, type FSWatcher } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Logger } from "#core";

export interface ResolvNamespacesOptions {
  readonly dir: string;
  readonly unshare: string;
  readonly nsenter: string;
  readonly sh: string;
  readonly logger: Logger;
  /** That of the machine. */
  readonly file?: string;
}

interface Held {
  readonly fd: number;
  readonly source: string;
}

/** Namespaces of pods have a text each; of more, the oldest is made anew when it is asked for. */
const TEXTS_MAX = 256;
const COMMAND_MS = 10_000;
/** Mounts of the machine come in and go away, ours do not come out. The descriptor is opened before the shell ends. */
const MAKE = `mount --bind "$1" "$2" && echo made && read -r _ || exit 1`;
/** Whoever renames another file over a mount point takes the mount away. */
const MEND = `grep -qF " $2 " /proc/self/mountinfo || mount --bind "$1" "$2"`;

export class ResolvNamespaces {
  readonly #options: ResolvNamespacesOptions;
  readonly #file: string;
  readonly #max: number;
  readonly #held = new Map<string, Promise<Held | undefined>>();
  #watchers: readonly FSWatcher[] = [];
  #count = 0;
  #mending: Promise<void> = Promise.resolve();

  constructor(options: ResolvNamespacesOptions, max = TEXTS_MAX) {
    this.#options = options;
    this.#max = max;
    this.#file = options.file ?? "/etc/resolv.conf";
    rmSync(options.dir, { recursive: true, force: true });
    mkdirSync(options.dir, { recursive: true, mode: 0o755 });
  }

  /** A file for `nsenter --mount`; undefined where there can be none, which is in the log. */
  async withText(text: string): Promise<string | undefined> {
    const known = this.#held.get(text);
    this.#held.delete(text);
    const held = known ?? this.#make(text);
    this.#held.set(text, held);
    if (known === undefined && this.#held.size > this.#max) this.#letGo();
    const found = await held;
    return found === undefined ? undefined : `/proc/${process.pid}/fd/${found.fd}`;
  }

  /** Resolves once every namespace has its text again, after another file took the place of the machine's. */
  mend(): Promise<void> {
    this.#mending = this.#mending.then(() => this.#mend());
    return this.#mending;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
    for (const text of [...this.#held.keys()]) void this.#forget(text);
  }

  async #make(text: string): Promise<Held | undefined> {
    const { dir, logger } = this.#options;
    const source = join(dir, String(++this.#count));
    try {
      writeFileSync(source, text, { mode: 0o644 });
      const fd = await this.#open(source);
      this.#watch();
      return { fd, source };
    } catch (err) {
      this.#held.delete(text);
      rmSync(source, { force: true });
      logger.warn("host processes ask the machine for names, and not the cluster", { err });
      return undefined;
    }
  }

  #open(source: string): Promise<number> {
    const { unshare, sh } = this.#options;
    const child = spawn(unshare, ["--mount", "--propagation", "slave", "--", sh, "-c", MAKE, "sh", source, this.#target()], {
      stdio: ["pipe", "pipe", "pipe"],
      timeout: COMMAND_MS,
    });
    child.stdin.on("error", () => undefined);
    return new Promise((resolve, reject) => {
      let complaint = "";
      child.stderr.setEncoding("utf8").on("data", (chunk: string) => (complaint = (complaint + chunk).slice(0, 1_000)));
      child.once("error", reject);
      child.once("close", () => reject(new Error(`no mount namespace was made: ${complaint.trim()}`)));
      child.stdout.once("data", () => {
        try {
          resolve(openSync(`/proc/${child.pid ?? 0}/ns/mnt`, "r"));
        } catch (error) {
          reject(error as Error);
        }
        child.stdin.end();
      });
    });
  }

  /** Where links lead: that is what is mounted over. */
  #target(): string {
    return realpathSync(this.#file);
  }

  #watch(): void {
    if (this.#watchers.length > 0) return;
    const files = new Set([this.#file, this.#target()]);
    this.#watchers = [...files].map((file) =>
      watch(dirname(file), { persistent: false }, (_event, name) => {
        if (name === basename(file)) void this.mend();
      }).on("error", () => undefined),
    );
  }

  async #mend(): Promise<void> {
    const { nsenter, sh, logger } = this.#options;
    for (const held of [...this.#held.values()]) {
      const found = await held;
      if (found === undefined) continue;
      try {
        await run(nsenter, [`--mount=/proc/${process.pid}/fd/${found.fd}`, "--", sh, "-c", MEND, "sh", found.source, this.#target()]);
      } catch (err) {
        logger.warn("host processes that run ask the machine for names now, and not the cluster", { err });
      }
    }
  }

  #letGo(): void {
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) void this.#forget(oldest);
  }

  /** Programs inside keep their namespace. */
  async #forget(text: string): Promise<void> {
    const held = this.#held.get(text);
    this.#held.delete(text);
    const found = await held;
    if (found === undefined) return;
    closeSync(found.fd);
    rmSync(found.source, { force: true });
  }
}

function run(program: string, args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: COMMAND_MS }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${program} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}
