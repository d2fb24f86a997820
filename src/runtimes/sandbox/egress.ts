// The way out for pods with a network of their own: what leaves the machine from their range goes under the machine's address. A table of our own
// name in nftables, so that rules of others are left alone.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";

export interface EgressOptions {
  /** Also the table's name. */
  readonly bridge: string;
  /** `100.70.0.0/16` */
  readonly range: string;
  /** Undefined when the machine has none. */
  readonly nft: string | undefined;
}

const COMMAND_MS = 10_000;
const FORWARDS = "/proc/sys/net/ipv4/ip_forward";

/** What pods sent to one another stays as it is, also where the machine looks into its bridges. Pure. */
export function egressTable({ bridge, range }: Pick<EgressOptions, "bridge" | "range">): string {
  return `table ip ${bridge}
delete table ip ${bridge}
table ip ${bridge} {
  chain out {
    type nat hook postrouting priority srcnat;
    ip saddr ${range} ip daddr != ${range} oifname != "${bridge}" masquerade
  }
}
`;
}

/** Again and again is fine. Throws, with the reason in words, where pods do not get out; the machine's own forwarding is its owner's to decide. */
export async function openEgress({ nft, ...table }: EgressOptions): Promise<void> {
  if (nft === undefined) throw new Error("the machine has no program `nft`");
  if (readFileSync(FORWARDS, "utf8").trim() !== "1") throw new Error("the machine does not forward packets (net.ipv4.ip_forward is 0)");
  await run(nft, ["-f", "-"], egressTable(table));
}

/** Nothing happens where there is none. */
export async function closeEgress({ nft, bridge }: Pick<EgressOptions, "nft" | "bridge">): Promise<void> {
  if (nft === undefined) return;
  await run(nft, ["-f", "-"], `table ip ${bridge}\ndelete table ip ${bridge}\n`);
}

function run(program: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: COMMAND_MS, env: {} }, (error, _stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${program} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(input);
  });
}
