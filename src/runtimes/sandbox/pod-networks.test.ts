// Networks of pods on the machine itself: what pods remember of the bridge stays true while others come and go.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { findProgram } from "./host-programs.ts";
import { markOf, PodNetworks, type PodNetwork } from "./pod-networks.ts";

const PROGRAMS = ["ip", "unshare", "umount", "sh", "nsenter"];
const missing = PROGRAMS.find((name) => findProgram(process.env["PATH"] ?? "", name) === undefined);
const isRoot = process.platform === "linux" && process.getuid?.() === 0;
const skip = isRoot ? missing !== undefined && `${missing} is not on the PATH` : "needs Linux and root";

function world(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "eider-networks-"));
  const mark = markOf(dir);
  const program = (name: string): string => findProgram(process.env["PATH"] ?? "", name) ?? name;
  const open = (): PodNetworks =>
    new PodNetworks({
      ...{ dir, mark, nft: undefined, logger: silentLogger },
      ...{ ip: program("ip"), unshare: program("unshare"), umount: program("umount"), sh: program("sh") },
    });
  const networks = open();
  t.after(async () => {
    await networks.sweep(new Set());
    execFileSync(program("ip"), ["link", "del", `ei${mark}`]);
    rmSync(dir, { recursive: true });
  });
  /** The pod's own device, as the pod sees it. */
  const podAddress = ({ netFile }: PodNetwork): string | undefined =>
    / link\/ether (\S+)/.exec(execFileSync(program("nsenter"), [`--net=${netFile}`, program("ip"), "-o", "link", "show", "eth0"], { encoding: "utf8" }))?.[1];
  return { networks, open, podAddress, bridgeAddress: () => readFileSync(`/sys/class/net/ei${mark}/address`, "utf8").trim() };
}

test("the bridge keeps its hardware address, whichever pods come and go, also over the next platform's start", { skip }, async (t) => {
  const { networks, open, bridgeAddress } = world(t);
  await networks.prepare();
  await networks.take("first");
  const address = bridgeAddress();
  await networks.take("second");
  // With every port gone a bridge that takes its ports' addresses has another one.
  for (const uid of ["first", "second"]) await networks.release(uid);
  await networks.take("third");
  assert.equal(bridgeAddress(), address);
  await networks.release("third");
  const next = open();
  await next.prepare();
  await next.take("fourth");
  assert.equal(bridgeAddress(), address);
});

test("who gets the address of a pod that is gone has its hardware address, too; others have others", { skip }, async (t) => {
  const { networks, podAddress } = world(t);
  await networks.prepare();
  const first = await networks.take("first");
  const address = podAddress(first);
  const second = await networks.take("second");
  assert.notEqual(podAddress(second), address);
  await networks.release("first");
  const third = await networks.take("third");
  assert.deepEqual([third.ip, podAddress(third)], [first.ip, address]);
});
