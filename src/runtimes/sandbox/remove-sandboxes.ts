// What sandboxes leave on the machine once no platform and no container runs: bound namespaces, devices, rules, control groups, files.
import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ControlGroups } from "./control-groups.ts";
import { closeEgress } from "./egress.ts";
import { findProgram } from "./host-programs.ts";
import { removeFolder } from "./remove-folder.ts";
import { markOf, mountsBelow } from "./pod-networks.ts";

const run = promisify(execFile);

/** Removes them; nothing happens where there was no sandbox. Throws when the machine does not let us. */
export async function removeSandboxes({ dataDir, path }: { readonly dataDir: string; readonly path: string }): Promise<void> {
  const dir = join(dataDir, "sandbox");
  if (process.platform !== "linux" || !existsSync(dir)) return;
  const mounts = mountsBelow(dir);
  if (mounts.length > 0) await run(findProgram(path, "umount") ?? "umount", ["--lazy", ...mounts], { env: {} });
  const mark = markOf(dataDir);
  const ip = findProgram(path, "ip");
  // The pairs of the namespaces go with these, but the kernel takes its time.
  for (const device of readdirSync("/sys/class/net").filter((name) => name.startsWith(`ei${mark}`)))
    if (ip !== undefined) await run(ip, ["link", "del", device], { env: {} }).catch(() => undefined);
  await closeEgress({ nft: findProgram(path, "nft"), bridge: `ei${mark}` }).catch(() => undefined);
  new ControlGroups(mark).purge();
  // Copying the tools takes longer than all else that the next start makes; they are named by what they are made of.
  for (const name of readdirSync(dir).filter((each) => !each.startsWith("tools-"))) removeFolder(join(dir, name));
}
