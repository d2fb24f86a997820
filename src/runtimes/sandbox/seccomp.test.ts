// The filter of system calls: what it answers, by a small machine for classic BPF, and that the loader's program puts it on the next one.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { CAPABILITIES_DEFAULT, isFiltered } from "./privileges.ts";
import { defaultFilter } from "./seccomp-filter.ts";
import { filteredArchitecture, filterTool, filterToolIn } from "./seccomp-tools.ts";
import { AUDIT_ARCH, NEWEST, REFUSED, type FilteredArchitecture } from "./system-calls.ts";

interface Asked {
  readonly number: number;
  readonly argument?: number;
  readonly arch?: number;
}

/** Runs the filter as the kernel would. */
function answerOf(filter: Buffer, { number, argument = 0, arch }: Required<Pick<Asked, "arch">> & Asked): string {
  const fields: Readonly<Record<number, number>> = { 0: number, 4: arch, 16: argument };
  let held = 0;
  for (let at = 0; at < filter.length; at += 8) {
    const [code, yes, no, value] = [filter.readUInt16LE(at), filter.readUInt8(at + 2), filter.readUInt8(at + 3), filter.readUInt32LE(at + 4)];
    if (code === 0x20) held = fields[value] ?? assert.fail(`reads ${value}`);
    else if (code === 0x06) return value === 0x7fff_0000 ? "allow" : `errno ${value & 0xffff}`;
    else {
      const holds = { 0x15: held === value, 0x25: held > value, 0x35: held >= value, 0x45: (held & value) !== 0 }[code] ?? assert.fail(`code ${code}`);
      at += 8 * (holds ? yes : no);
    }
  }
  return assert.fail("the filter has no end");
}

const asking =
  (architecture: FilteredArchitecture, capabilities: readonly string[] = CAPABILITIES_DEFAULT) =>
  (number: number, argument = 0, arch = AUDIT_ARCH[architecture]): string =>
    answerOf(defaultFilter(architecture, capabilities), { number, argument, arch });

const amd64 = asking("amd64");
const rows: readonly { readonly name: string; readonly got: string; readonly want: string }[] = [
  { name: "reading is allowed", got: amd64(0), want: "allow" },
  { name: "execve is allowed", got: amd64(59), want: "allow" },
  { name: "mounting is not permitted", got: amd64(165), want: "errno 1" },
  { name: "nor with the number of arm64, which is another call", got: amd64(40), want: "allow" },
  { name: "mounting is open to an administrator", got: asking("amd64", ["sys_admin"])(165), want: "allow" },
  { name: "keys are closed to him, too", got: asking("amd64", ["all"])(250), want: "errno 1" },
  { name: "changing the root is open by default", got: amd64(161), want: "allow" },
  { name: "and closed to who dropped it", got: asking("amd64", [])(161), want: "errno 1" },
  { name: "a thread is a clone", got: amd64(56, 0x3d_0f00), want: "allow" },
  { name: "a clone with a user namespace is not permitted", got: amd64(56, 0x1000_0011), want: "errno 1" },
  { name: "clone3 is not there", got: amd64(435), want: "errno 38" },
  { name: "what is newer than the table is not there", got: amd64(NEWEST + 1), want: "errno 38" },
  { name: "the newest of the table is", got: amd64(NEWEST), want: "allow" },
  { name: "x32 is not there", got: amd64(0x4000_0000), want: "errno 38" },
  { name: "another processor's calls are not there", got: amd64(0, 0, 0x4000_0003), want: "errno 38" },
  { name: "a socket of the internet", got: amd64(41, 2), want: "allow" },
  { name: "a socket to the hypervisor", got: amd64(41, 40), want: "errno 1" },
  { name: "the kernel's ciphers", got: amd64(41, 38), want: "errno 1" },
  { name: "a question about the personality", got: amd64(135, 0xffff_ffff), want: "allow" },
  { name: "a personality without random addresses", got: amd64(135, 0x004_0000), want: "errno 1" },
  { name: "arm64: mounting", got: asking("arm64")(40), want: "errno 1" },
  { name: "arm64: its 165 is getrusage", got: asking("arm64")(165), want: "allow" },
  { name: "arm64: a clone with a namespace", got: asking("arm64")(220, 0x2000_0000), want: "errno 1" },
];
for (const { name, got, want } of rows) test(`defaultFilter: ${name}`, () => assert.equal(got, want));

test("defaultFilter: every refused call is, on both processors, and no number is meant twice", () => {
  for (const [index, architecture] of (["amd64", "arm64"] as const).entries()) {
    const numbers = Object.values(REFUSED).flatMap((call) => call.numbers[index] ?? []);
    assert.equal(new Set(numbers).size, numbers.length);
    const ask = asking(architecture, []);
    assert.deepEqual(
      numbers.filter((number) => ask(number) !== "errno 1"),
      [],
    );
  }
});

test("isFiltered: the container's word before the pod's; the usual profile for one of the machine's; none when nobody asks", () => {
  const said = (container?: string, pod?: string, privileged = false): boolean => {
    const profile = (type: string | undefined) => (type === undefined ? {} : { seccompProfile: { type } });
    return isFiltered({ name: "c", securityContext: { privileged, ...profile(container) } }, { securityContext: profile(pod) });
  };
  assert.deepEqual([said(), said("RuntimeDefault"), said(undefined, "RuntimeDefault"), said("Unconfined", "RuntimeDefault")], [false, true, true, false]);
  assert.deepEqual([said("Localhost"), said("RuntimeDefault", undefined, true)], [true, false]);
});

test("filterToolIn: a container that has the tools of an earlier platform gets the filter there; where they are none of ours there is none", (t) => {
  const dir = mkdtempSync(join(tmpdir(), "eider-seccomp-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const [toolsFolder, earlier, strange] = ["tools-b", "tools-a", "strange/tools-a"].map((name) => join(dir, name)) as [string, string, string];
  for (const folder of [toolsFolder, earlier, strange]) mkdirSync(folder, { recursive: true });
  // By another path, as a container sees a folder.
  const seen = join(dir, "strange/seen");
  const named = (folder: string): string | undefined => {
    rmSync(seen, { force: true });
    symlinkSync(folder, seen);
    return filterToolIn({ toolsFolder, seen }, "amd64", CAPABILITIES_DEFAULT);
  };
  const name = named(toolsFolder);
  assert.ok(name !== undefined);
  assert.deepEqual([existsSync(join(earlier, name)), named(earlier), existsSync(join(earlier, name))], [false, name, true]);
  assert.deepEqual([named(strange), existsSync(join(strange, name))], [undefined, false]);
  assert.equal(named(join(dir, "gone")), undefined);
});

const skip = process.platform !== "linux" || process.getuid?.() !== 0 ? "needs Linux and root" : false;
test("the loader becomes the program under the filter, with its words and variables; without it the same call works", { skip }, (t) => {
  const folder = mkdtempSync(join(tmpdir(), "eider-seccomp-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const architecture = filteredArchitecture();
  assert.ok(architecture !== undefined);
  const tool = join(folder, filterTool(folder, architecture, CAPABILITIES_DEFAULT));
  const shell = ["/bin/sh", "-c", 'echo "$1 $WORD"; grep Seccomp: /proc/self/status; unshare --uts true && echo unshared', "sh", "said"];
  const run = (argv: readonly string[]): string => {
    const { stdout, stderr } = spawnSync(argv[0] ?? "", argv.slice(1), { env: { ...process.env, WORD: "heard" }, encoding: "utf8" });
    return stdout + stderr;
  };
  assert.match(run([tool, ...shell]), /^said heard\nSeccomp:\t2\nunshare: unshare failed: Operation not permitted\n$/);
  assert.match(run(shell), /^said heard\nSeccomp:\t[02]\nunshared\n$/);
});
