// The range of Services' addresses as this machine's own: a device of our name, and a route that makes all of the range local. What listens on
// such an address is reached by processes of the machine, and by everybody whose way out is the machine: pods behind any of its bridges.
import { execFile } from "node:child_process";
import { networkInterfaces } from "node:os";
import { BlockList } from "node:net";

export interface ServiceNetworkOptions {
  /** The data folder's own. */
  readonly mark: string;
  /** `10.97.64.0/18`. */
  readonly range: string;
  readonly ip: string;
}

const COMMAND_MS = 10_000;

/** Makes what is not there. Throws when the machine does not let us, or when the range is another's. */
export async function openServiceNetwork({ mark, range, ip }: ServiceNetworkOptions): Promise<void> {
  const device = `ei${mark}x`;
  const there = await run(ip, ["-4", "route", "show", "table", "local", "root", range]);
  const other = there.split("\n").find((line) => line !== "" && !line.includes(` dev ${device} `));
  if (other !== undefined) throw new Error(`the range of Services' addresses ${range} is in use on this machine: ${other.trim()}`);
  if (networkInterfaces()[device] === undefined) await run(ip, ["link", "add", device, "type", "bridge"]).catch(ifNotThere);
  await run(ip, ["link", "set", device, "up"]);
  await run(ip, ["route", "replace", "local", range, "dev", device]);
}

/** A device without addresses of its own is not among the interfaces. */
function ifNotThere(error: Error): void {
  if (!error.message.includes("File exists")) throw error;
}

/** Who may come in: this machine, and the networks of bridges that pods are on. */
export class Entrance {
  readonly #bridges = new Set<string>();
  readonly #range: string;
  #list: BlockList | undefined;

  constructor(range: string) {
    this.#range = range;
  }

  /** Pods are on the network that the machine has this address on. */
  admit(address: string): void {
    if (this.#bridges.has(address)) return;
    this.#bridges.add(address);
    this.#list = undefined;
  }

  mayEnter(address: string): boolean {
    const bare = address.replace(/^::ffff:/, "");
    if (this.#list?.check(bare) === true) return true;
    // The machine may have got another address since.
    this.#list = this.#read();
    return this.#list.check(bare);
  }

  #read(): BlockList {
    const list = new BlockList();
    const add = (cidr: string): void => {
      const [net = "", bits = "32"] = cidr.split("/");
      list.addSubnet(net, Number(bits), "ipv4");
    };
    add("127.0.0.0/8");
    add(this.#range);
    for (const { address, cidr, family } of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
      if (family === "IPv4") add(this.#bridges.has(address) && cidr !== null ? cidr : address);
    return list;
  }
}

function run(program: string, args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { timeout: COMMAND_MS, env: {} }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${program} ${args.join(" ")} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}
