// What is decided about a sandbox before it starts: paths in layers, users, words of shells, lines of mounts, rights, limits.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { CoreContainer, Pod } from "#kinds";
import { becomes, quoted, travelling } from "./enter.ts";
import type { GroupView } from "./control-groups.ts";
import { fstabText, rootLine, systemLines, volumeLines } from "./fstab.ts";
import { userOf } from "./image-user.ts";
import { findIn, readIn } from "./layered-tree.ts";
import { limitsOf } from "./limits.ts";
import { notHonoured } from "./not-honoured.ts";
import { identityFor } from "./privileges.ts";
import { UpperFolder } from "./upper-folder.ts";

const dir = mkdtempSync(join(tmpdir(), "eider-sandbox-"));
after(() => rmSync(dir, { recursive: true, force: true }));

const [top, bottom] = ["top", "bottom"].map((name) => join(dir, name)) as [string, string];
for (const folder of ["etc", "usr/lib", "data"]) mkdirSync(join(bottom, folder), { recursive: true });
mkdirSync(join(top, "data"), { recursive: true });
writeFileSync(join(bottom, "etc/passwd"), "root:x:0:0::/root:/bin/sh\napp:x:1234:2345::/home/app:/bin/sh\nbroken line\n");
writeFileSync(join(bottom, "etc/group"), "root:x:0:\nextra:x:77:other,app\nnamed:x:88:\n");
writeFileSync(join(bottom, "data/both"), "below");
writeFileSync(join(top, "data/both"), "above");
symlinkSync("/usr/lib", join(bottom, "lib"));
symlinkSync("../../../../../../etc/passwd", join(top, "escape"));
symlinkSync("loop", join(top, "loop"));
const layers = [top, bottom];

const finds: readonly { readonly name: string; readonly path: string; readonly real: string; readonly there: boolean }[] = [
  { name: "a file of the lower layer", path: "/etc/passwd", real: "/etc/passwd", there: true },
  { name: "an absolute link, followed inside", path: "/lib/x", real: "/usr/lib/x", there: false },
  { name: "a link that climbs too far", path: "/escape", real: "/etc/passwd", there: true },
  { name: "dots that climb too far", path: "/../../etc", real: "/etc", there: true },
  { name: "nothing", path: "/none/at/all", real: "/none/at/all", there: false },
];
for (const { name, path, real, there } of finds)
  test(`paths in layers: ${name}`, () => {
    const found = findIn(layers, path);
    assert.deepEqual({ path: found.path, there: found.stat !== undefined }, { path: real, there });
  });

test("paths in layers: the upper layer's file hides the lower one's, below a file is nothing, and links have an end", () => {
  assert.equal(readIn(layers, "/data/both", 100), "above");
  assert.throws(() => findIn(layers, "/etc/passwd/x"), /not a directory/);
  assert.throws(() => findIn(layers, "/loop"), /too many levels/);
});

const pod = (securityContext: object = {}): Pod =>
  ({ metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers: [], securityContext } }) as unknown as Pod;
const container = (rest: object = {}): CoreContainer => ({ name: "c", ...rest }) as CoreContainer;

const users: readonly { readonly name: string; readonly image: string; readonly context?: object; readonly want: object | RegExp }[] = [
  { name: "none is root", image: "", want: { uid: 0, gid: 0, groups: [], home: "/root" } },
  { name: "a name is looked up, with its groups", image: "app", want: { uid: 1234, gid: 2345, groups: [77], home: "/home/app" } },
  { name: "a name and a group", image: "app:named", want: { uid: 1234, gid: 88, groups: [77], home: "/home/app" } },
  { name: "numbers need no entry", image: "65532:65532", want: { uid: 65532, gid: 65532, groups: [], home: "/" } },
  { name: "the pod's word counts more", image: "app", context: { runAsUser: 9, runAsGroup: 8 }, want: { uid: 9, gid: 8, groups: [], home: "/" } },
  { name: "an unknown name", image: "nobody", want: /unable to find user nobody: no matching entries in passwd file/ },
  { name: "an unknown group", image: "app:none", want: /unable to find group none/ },
  { name: "root is refused when asked", image: "", context: { runAsNonRoot: true }, want: /container has runAsNonRoot and image will run as root/ },
  { name: "a name proves nothing", image: "app", context: { runAsNonRoot: true }, want: /image has non-numeric user \(app\), cannot verify user is non-root/ },
];
for (const { name, image, context = {}, want } of users)
  test(`users: ${name}`, () => {
    const ask = (): unknown => userOf(pod(), container({ securityContext: context }), image, layers);
    if (want instanceof RegExp) assert.throws(ask, want);
    else assert.deepEqual(ask(), want);
  });

test("words of a shell arrive as they were, and no variable steers the host's programs", () => {
  const word = `it's "$HOME" \`x\` \\ \n end`;
  assert.equal(execFileSync("sh", ["-c", `printf %s ${quoted(word)}`], { encoding: "utf8" }), word);
  assert.deepEqual(travelling({ LD_PRELOAD: "/x.so", A: "b=c" }), { EIDER_ENV_0: "LD_PRELOAD=/x.so", EIDER_ENV_1: "A=b=c" });
  const identity = { user: { uid: 5, gid: 6, groups: [7, 8], home: "/" }, capabilities: ["kill"], noNewPrivileges: true };
  const text = becomes({ argv: ["a b"], cwd: "/w", identity, variables: 1 });
  assert.match(
    text,
    /--no-new-privs --reuid=5 --regid=6 --groups=7,8 --inh-caps=-all --bounding-set=-all,\+kill -- \S+ --library-path \S+ \S+\/env -i -C '\/w' "\$EIDER_ENV_0" 'a b'$/,
  );
});

test("lines of mounts: blanks are written as getmntent reads them, outer places come first, devices are of no use", () => {
  const line = rootLine({ root: "/r t", upper: "/u:1", work: "/w,2", layers: ["b", "a"], readOnly: true, options: ["volatile"] });
  assert.equal(fstabText([line]), "eider /r\\040t overlay ro,nodev,lowerdir=b:a,upperdir=/u\\134:1,workdir=/w\\134,2,volatile 0 0\n");
  const mounts = volumeLines("/r", [
    { source: { memoryBytesMax: 10 }, target: "/a/b", readOnly: false },
    { source: { path: "/host" }, target: "/a", readOnly: true },
  ]);
  assert.deepEqual(
    mounts.map(({ source, target, options }) => [source, target, options.join(",")]),
    [
      ["/host", "/r/a", "rbind,ro,nosuid,nodev"],
      ["tmpfs", "/r/a/b", "rw,nosuid,nodev,mode=1777,size=10"],
    ],
  );
});

test("rights: the engines' usual capabilities, less what is dropped, more what is added", () => {
  const rights = (securityContext: object): readonly string[] => identityFor(container({ securityContext }), undefined).capabilities;
  assert.ok(rights({}).includes("chown") && !rights({}).includes("sys_admin"));
  assert.deepEqual(rights({ capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE", "CAP_KILL"] } }), ["net_bind_service", "kill"]);
  assert.ok(!rights({ capabilities: { drop: ["CHOWN"] } }).includes("chown"));
  assert.deepEqual(rights({ privileged: true }), ["all"]);
  assert.equal(identityFor(container({ securityContext: { allowPrivilegeEscalation: false } }), undefined).noNewPrivileges, true);
});

test("limits come from quantities", () => {
  const limited = { resources: { limits: { memory: "64Mi", cpu: "250m" } } };
  const asking = { resources: { requests: { cpu: "125m" }, limits: { cpu: 1 } } };
  assert.deepEqual(limitsOf(limited, [limited, asking]), {
    processesMax: 4096,
    memoryBytesMax: 67_108_864,
    cpuMax: 0.25,
    cpuShares: 256,
    podCpuShares: 384,
  });
  assert.equal(limitsOf(asking, [asking]).cpuShares, 128);
  const none = {};
  assert.deepEqual(limitsOf(none, [none]), { processesMax: 4096, cpuShares: 2, podCpuShares: 2 });
});

test("a container sees its own groups, to read: a place for each controller in version 1, the group itself in version 2", () => {
  const facts = {
    root: "/r",
    deviceFolder: "/d",
    toolsFolder: "/t",
    groupsFolder: "/g",
    shmBytesMax: 1,
    ownNetwork: true,
    privileged: false,
    exists: () => false,
  };
  const seen = (groups: readonly GroupView[], asRoot = true, ownNetwork = true): string[] =>
    systemLines({ ...facts, groups, asRoot, ownNetwork })
      .filter(({ target }) => target.startsWith("/r/sys/"))
      .map(({ source, target, options }) => `${source} ${target} ${options.join(",")}`);
  const memory = { controller: "memory", folder: "/sys/fs/cgroup/memory/own" };
  const bound = "bind,ro,nosuid,nodev,noexec";
  assert.deepEqual(seen([memory]), [`/g /r/sys/fs/cgroup ${bound}`, `${memory.folder} /r/sys/fs/cgroup/memory ${bound}`]);
  assert.deepEqual(seen([{ controller: undefined, folder: "/sys/fs/cgroup/own" }]), [`/sys/fs/cgroup/own /r/sys/fs/cgroup ${bound}`]);
  assert.deepEqual(seen([]), []);
  assert.deepEqual(seen([memory], false, false), [], "without root /sys is the machine's, with all of its groups");
});

test("what is not honoured is told by field", () => {
  const spec = {
    containers: [
      { name: "c", resources: { limits: { memory: "1Mi" } }, securityContext: { seccompProfile: { type: "Localhost", localhostProfile: "mine.json" } } },
    ],
    securityContext: { seccompProfile: { type: "RuntimeDefault" } },
    shareProcessNamespace: true,
  };
  assert.deepEqual(notHonoured(spec as never, "spec", { asRoot: true, networks: {}, groups: { missing: ["memory"] } }), [
    "spec.containers[0].resources.limits.memory: stored, but this machine lets Eider make no control groups for it",
    "spec.containers[0].securityContext.seccompProfile.localhostProfile: stored, but the profile RuntimeDefault is used",
    "spec.shareProcessNamespace: stored, but each container of a sandbox has processes and memory of its own",
  ]);
  assert.deepEqual(notHonoured({ containers: [{ name: "c" }] } as never, "spec", { asRoot: true, networks: {}, groups: { missing: [] } }), []);
});

test("the writable layer gets places for mounts where links lead, and a folder's mode from below", () => {
  const upper = new UpperFolder(join(dir, "upper"), { layers, owners: false });
  assert.equal(upper.folder("/lib/deep/er"), "/usr/lib/deep/er");
  assert.equal(upper.file("/data/both"), "/data/both");
  upper.write("/etc/hosts", "x\n");
  assert.equal(readFileSync(join(dir, "upper/etc/hosts"), "utf8"), "x\n");
  assert.throws(() => upper.folder("/etc/passwd"), /is a file in the image/);
  assert.throws(() => upper.file("/data"), /is a directory in the image/);
});
