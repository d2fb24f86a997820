// A program on a machine of its own, as far as names and ports go: own network, own /etc/hosts. Nothing of it is left afterwards.
import { spawn, spawnSync } from "node:child_process";

/** Without root a user namespace is needed, in which we stay who we are. */
const NAMESPACES = process.getuid?.() === 0 ? ["--mount", "--net"] : ["--user", "--map-current-user", "--keep-caps", "--mount", "--net"];

/** $1: lines for /etc/hosts. What follows is the program. */
const PREPARE = `set -e
ip link set lo up
lines=$1; shift
hosts=$(mktemp)
{ cat /etc/hosts; printf '%s\\n' "$lines"; } > "$hosts"
chmod 644 "$hosts"
mount --bind "$hosts" /etc/hosts
rm "$hosts"
exec "$@"`;

const command = (names: string, program: readonly string[]): string[] => [...NAMESPACES, "sh", "-c", PREPARE, "sh", names, ...program];

/** Why there cannot be one here; undefined when there can. */
export function noOwnMachine(): string | undefined {
  const { status, error, stderr } = spawnSync("unshare", command("", ["true"]), { encoding: "utf8" });
  if (error !== undefined) return `unshare: ${error.message}`;
  return status === 0 ? undefined : `no namespaces of our own: ${stderr.trim()}`;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `program` with the names of `hosts` standing for addresses. What it says is kept up to `bytesMax`, the end of it. */
export function onOwnMachine(hosts: Readonly<Record<string, string>>, program: readonly string[], bytesMax = 16 << 20): Promise<Ended> {
  const names = Object.entries(hosts).map(([name, address]) => `${address} ${name}`);
  const child = spawn("unshare", command(names.join("\n"), program), { stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => (said[stream] = (said[stream] + text).slice(-bytesMax)));
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...said }));
  });
}
