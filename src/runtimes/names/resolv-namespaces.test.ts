// Another text as /etc/resolv.conf, in namespaces that descriptors hold.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { findProgram } from "../sandbox/host-programs.ts";
import { ResolvNamespaces } from "./resolv-namespaces.ts";

const skip = process.platform !== "linux" || process.getuid?.() !== 0 ? "needs Linux and root" : false;

function world(t: TestContext, max?: number) {
  const dir = mkdtempSync(join(tmpdir(), "eider-resolv-"));
  // As systemd-resolved has it.
  const real = join(dir, "stub-resolv.conf");
  const file = join(dir, "resolv.conf");
  writeFileSync(real, "the machine's\n");
  symlinkSync(real, file);
  const program = (name: string): string => findProgram("", name) ?? name;
  const options = { dir: join(dir, "texts"), file, nsenter: program("nsenter"), unshare: program("unshare"), sh: program("sh"), logger: silentLogger };
  const namespaces = new ResolvNamespaces(options, max);
  t.after(() => {
    namespaces.close();
    rmSync(dir, { recursive: true });
  });
  const seenIn = (namespace: string): string => execFileSync(options.nsenter, [`--mount=${namespace}`, "cat", file], { encoding: "utf8" });
  return { real, file, namespaces, seenIn };
}

test("each text has a namespace, a text that was asked for before has its own, and the machine sees nothing of it", { skip }, async (t) => {
  const { file, namespaces, seenIn } = world(t);
  const [one = "", two = "", again] = await Promise.all([namespaces.withText("one\n"), namespaces.withText("two\n"), namespaces.withText("one\n")]);
  assert.deepEqual([seenIn(one), seenIn(two), again], ["one\n", "two\n", one]);
  assert.equal(readFileSync(file, "utf8"), "the machine's\n");
  // Other programs of the machine may mount what they like meanwhile.
  const ours = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(dirname(file)));
  assert.deepEqual(ours, []);
});

test("another file in the place of the machine's takes the text away, and it comes back", { skip }, async (t) => {
  const { real, namespaces, seenIn } = world(t);
  const one = (await namespaces.withText("one\n")) ?? "";
  writeFileSync(`${real}.new`, "the machine's next\n");
  renameSync(`${real}.new`, real);
  await namespaces.mend();
  assert.equal(seenIn(one), "one\n");
  assert.equal(readFileSync(real, "utf8"), "the machine's next\n");
});

test("of more texts than there may be, the one that was asked for longest ago is let go, and made anew", { skip }, async (t) => {
  const { namespaces, seenIn } = world(t, 2);
  const open = (): number => readdirSync("/proc/self/fd").filter((fd) => linkOf(fd).startsWith("mnt:")).length;
  const before = open();
  for (const text of ["one\n", "two\n", "one\n", "three\n"]) await namespaces.withText(text);
  assert.equal(open(), before + 2);
  assert.equal(seenIn((await namespaces.withText("two\n")) ?? ""), "two\n");
  assert.equal(open(), before + 2);
});

function linkOf(fd: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return "";
  }
}
