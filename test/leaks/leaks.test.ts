// A short run of the leak lists, and planted faults that show the lists failing.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, closeSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { findProgram } from "../e2e/platform.ts";
import { runLeaks, whyNoLeaks } from "./leaks.ts";
import { OwnDaemon } from "./own-daemon.ts";
import { descriptorsOf, differences, machineLists, markOf, missing } from "./machine-lists.ts";

const skip = whyNoLeaks();
const data = mkdtempSync(join(tmpdir(), "eider-planted-"));
after(() => rmSync(data, { recursive: true, force: true }));

test("12 pods come and go while the platform is killed, their image removed and the disk full: nothing is left", { skip, timeout: 300_000 }, async (t) => {
  const { left, faults } = await runLeaks({ pods: 12, tell: (line) => t.diagnostic(line) });
  assert.deepEqual(left.slice(0, 20), []);
  assert.equal(faults.length, 3);
});

const withoutDaemon = whyNoLeaks("container");

test("10 pods on a daemon of its own, which is restarted, too: nothing is left", { skip: withoutDaemon, timeout: 300_000 }, async (t) => {
  const { left, faults, counts } = await runLeaks({ pods: 10, runtime: "container", tell: (line) => t.diagnostic(line) });
  assert.deepEqual(left.slice(0, 20), [], counts.join("\n"));
  assert.ok(faults.includes("daemon restarted"));
});

test("planted: a container that is left is found", { skip: withoutDaemon, timeout: 120_000 }, async () => {
  const daemon = await OwnDaemon.start();
  try {
    const before = await daemon.lists();
    const remove = await daemon.plant();
    assert.deepEqual(
      differences({ ...empty, ...before, networks: [] }, { ...empty, ...(await daemon.lists()), networks: [] }).filter((line) => line.includes("left-behind")),
      ["things: left container left-behind"],
    );
    await remove();
    assert.deepEqual((await daemon.lists()).things, before.things);
  } finally {
    await daemon.stop();
  }
});

interface Planted {
  readonly name: string;
  readonly says: RegExp;
  /** Answers how it is taken away. */
  plant(): () => void;
}

const planted: readonly Planted[] = [
  ...(findProgram("nft") === undefined
    ? []
    : [
        {
          name: "a table of rules",
          says: /^tables: left table ip ei[0-9a-f]{6}$/,
          plant() {
            execFileSync("nft", ["add", "table", "ip", `ei${markOf(data)}`]);
            return () => execFileSync("nft", ["delete", "table", "ip", `ei${markOf(data)}`]);
          },
        },
      ]),
  {
    name: "a mount",
    says: /^mounts: left .*\/sandbox\/left$/,
    plant() {
      const at = join(data, "sandbox", "left");
      mkdirSync(at, { recursive: true });
      execFileSync("mount", ["-t", "tmpfs", "left", at]);
      return () => {
        execFileSync("umount", [at]);
        rmSync(at, { recursive: true });
      };
    },
  },
  {
    name: "a network namespace",
    says: /^networks: left a network namespace$/,
    plant() {
      const at = join(data, "sandbox-net");
      writeFileSync(at, "");
      execFileSync("unshare", [`--net=${at}`, "true"]);
      return () => {
        execFileSync("umount", [at]);
        rmSync(at);
      };
    },
  },
  {
    name: "a device",
    says: /^devices: left a pod's device$/,
    plant() {
      const device = `ei${markOf(data)}7`;
      execFileSync("ip", ["link", "add", device, "type", "bridge"]);
      return () => void execFileSync("ip", ["link", "del", device]);
    },
  },
  {
    name: "a process",
    says: /^processes: left .*sandbox\/left-over/,
    plant() {
      const child = spawn("sh", ["-c", `exec sh -c 'read line' ${join(data, "sandbox", "left-over")}`], { stdio: ["pipe", "ignore", "ignore"] });
      while (!differences(empty, machineLists(data)).some((line) => line.startsWith("processes:"))) execFileSync("true");
      return () => void child.kill("SIGKILL");
    },
  },
  {
    name: "a file",
    says: /^files: left .*\/sandbox\/pods\/uid\/app 1$/,
    plant() {
      mkdirSync(join(data, "sandbox", "pods", "uid"), { recursive: true });
      writeFileSync(join(data, "sandbox", "pods", "uid", "app"), "x");
      return () => rmSync(join(data, "sandbox"), { recursive: true });
    },
  },
];

const empty = skip === false ? machineLists(data) : { processes: [], mounts: [], networks: [], devices: [], tables: [], groups: [], files: [], heldBlocks: 0 };

for (const { name, says, plant } of planted) {
  test(`planted: ${name} that is left is found`, { skip }, () => {
    const remove = plant();
    try {
      assert.ok(
        differences(empty, machineLists(data)).some((line) => says.test(line)),
        differences(empty, machineLists(data)).join("\n"),
      );
    } finally {
      remove();
    }
  });
}

test("planted: a descriptor that is left is found", { skip }, () => {
  const before = descriptorsOf(process.pid);
  const file = join(data, "held");
  const fd = openSync(file, "w");
  assert.deepEqual(missing(descriptorsOf(process.pid), before), [file.replace(/\d+/g, "n")]);
  closeSync(fd);
});
