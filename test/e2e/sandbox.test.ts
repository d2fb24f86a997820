// The runtime `sandbox` on a real platform: namespaces, layers, users, networks, and that nothing of them stays.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { engineBeside, holdsStill, leadersOf, treeOf, type Held } from "./held-still.ts";
import { compileProbe, storeLayered } from "./layered-image.ts";
import { machineLists } from "../leaks/machine-lists.ts";
import { eventually, findProgram, Platform, ran } from "./platform.ts";

function whyNot(): string | false {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return "needs Linux and root";
  const missing = ["go", "kubectl", "ip", "unshare"].find((name) => findProgram(name) === undefined);
  if (missing !== undefined) return `${missing} is not on the PATH`;
  return spawnSync("unshare", ["--mount", "--net", "true"]).status === 0 ? false : "namespaces cannot be made here";
}

const skip = whyNot();
let platform: Platform;
let program: Buffer;

before(async () => {
  if (skip !== false) return;
  program = await compileProbe();
  // Docker and Podman would be taken before it.
  platform = await Platform.start({ env: { ...process.env, DOCKER_HOST: "unix:///nowhere/docker.sock" } });
  await storeLayered(platform.data, program, { name: "dev.local/layered:v1" });
});

after(async () => platform?.stop());

const service = (name: string, container: object = {}, spec: object = {}): object => ({
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name },
  spec: { template: { spec: { ...spec, containers: [{ image: "dev.local/layered:v1", ...container }] } } },
});

interface Seen {
  readonly host: string;
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
  readonly cwd: string;
  readonly gone: boolean;
  readonly hidden: boolean;
  readonly writes: boolean;
  readonly pids: number;
  readonly env: readonly string[];
  readonly hosts: string;
}

async function seenBy(name: string): Promise<Seen> {
  return eventually(`${name} answers`, async () => {
    const { status, body } = await platform.request(`${name}.default.localhost`);
    return status === 200 && (JSON.parse(body) as Seen);
  });
}

const podOf = async (name: string): Promise<string> =>
  (await platform.kubectl("get", "pods", "-l", `serving.knative.dev/service=${name}`, "-o", "jsonpath={.items[0].metadata.name}")).trim();

const gone = (name: string): Promise<boolean> =>
  eventually(
    `the pods of ${name} are gone`,
    async () => (await platform.kubectl("get", "pods", "-l", `serving.knative.dev/service=${name}`, "-o", "name")).trim() === "",
  );

/** By its control group: the programs in it are told nothing. */
async function standsStill(name: string): Promise<void> {
  const over = new AbortController();
  try {
    const engine = await engineBeside(platform, "sandbox", over.signal);
    const pod = JSON.parse(await platform.kubectl("get", "pod", await podOf(name), "-o", "json")) as Held["pod"];
    // What holds the sandbox's namespaces is not of the pod.
    const pids = (await leadersOf(engine, pod)).flatMap((leader) => treeOf(leader).slice(1));
    const meanwhile = (): Promise<unknown> => platform.kubectl("get", "--raw", "/readyz");
    await holdsStill({ engine, pod, pids, ask: () => platform.request(`${name}.default.localhost`), meanwhile });
  } finally {
    over.abort();
  }
}

test("before the first sandbox nothing is made on the machine for it", { skip }, () => {
  const { mounts, devices, networks } = machineLists(platform.data);
  assert.deepEqual({ mounts, devices, networks }, { mounts: [], devices: [], networks: [] });
});

test("two Services on port 8080 have a sandbox each: layers, user, names, network; deleted, they leave nothing", { skip }, async () => {
  // The bridge, the addresses of Services and the networks that are made ahead come with the first one.
  await platform.apply(service("first"));
  await seenBy("first");
  await platform.kubectl("delete", "ksvc", "first");
  await gone("first");
  const idle = await eventually("two networks are made ahead", async () => {
    const lists = machineLists(platform.data);
    return lists.devices.length === 4 && lists.groups.length === 0 && lists;
  });
  await platform.apply(service("one"));
  await platform.apply(
    service("two", { securityContext: { runAsUser: 4321, capabilities: { drop: ["ALL"] } }, env: [{ name: "LD_PRELOAD", value: "/app/none.so" }] }),
  );
  const one = await seenBy("one");
  const two = await seenBy("two");
  assert.deepEqual(
    { pid: one.pid, pids: one.pids, uid: one.uid, gid: one.gid, cwd: one.cwd, gone: one.gone, hidden: one.hidden, writes: one.writes },
    { pid: 1, pids: 1, uid: 1234, gid: 2345, cwd: "/work", gone: true, hidden: true, writes: false },
  );
  assert.equal(one.host, await podOf("one"));
  assert.equal(two.uid, 4321);
  assert.ok(two.env.includes("LD_PRELOAD=/app/none.so") && two.env.includes("FROM_IMAGE=yes"));
  const addresses = await platform.kubectl("get", "pods", "-o", "jsonpath={range .items[*]}{.status.podIP} {end}");
  assert.equal(new Set(addresses.trim().split(" ")).size, 2);
  assert.match(one.hosts, new RegExp(`^100\\.\\d+\\.0\\.\\d+\\t${one.host}$`, "m"));
  await standsStill("one");
  for (const name of ["one", "two"]) await platform.kubectl("delete", "ksvc", name);
  for (const name of ["one", "two"]) await gone(name);
  const { files: _layers, ...rest } = machineLists(platform.data);
  const { files: _before, ...wanted } = idle;
  await eventually(
    "nothing is left",
    async () =>
      JSON.stringify(rest) === JSON.stringify(wanted) ||
      JSON.stringify({ ...machineLists(platform.data), files: [] }) === JSON.stringify({ ...idle, files: [] }),
  );
});

test("a command joins the container with the rights of its program, and tells how it ended", { skip }, async () => {
  await platform.apply(service("exec", { securityContext: { allowPrivilegeEscalation: false, seccompProfile: { type: "RuntimeDefault" } } }));
  const seen = await seenBy("exec");
  const pod = await podOf("exec");
  const said = await platform.kubectl("exec", pod, "--", "/app/probe", "hello");
  assert.match(said, new RegExp(`^CapEff:\\s+0{16}$`, "m"));
  assert.match(said, /^NoNewPrivs:\s+1$/m);
  // The program's system calls are filtered, and so are the command's.
  assert.match(said, /^Seccomp:\s+2$/m);
  assert.match(await platform.kubectl("exec", pod, "--", "/app/probe", "files", "/proc/1/status"), /^Seccomp:\s+2$/m);
  assert.match(said, new RegExp(`^hello in ${seen.host} as 1234$`, "m"));
  await assert.rejects(platform.kubectl("exec", pod, "--", "probe", "fail"), /executable file not found in \$PATH|exit code 7/);
  await assert.rejects(platform.kubectl("exec", pod, "--", "/app/probe", "fail"), { code: 7 });
  // The host's programs are others by now, and the filter is another: the container has the tools of before. Then they are nowhere.
  const inSandbox = (name: string): string => join(platform.data, "sandbox", name);
  const [tools = ""] = readdirSync(inSandbox("")).filter((name) => name.startsWith("tools-"));
  const filters = readdirSync(inSandbox(tools)).filter((name) => name.startsWith("seccomp-"));
  renameSync(inSandbox(tools), inSandbox("tools-before"));
  for (const filter of filters) rmSync(join(inSandbox("tools-before"), filter));
  cpSync(inSandbox("tools-before"), inSandbox(tools), { recursive: true });
  assert.match(await platform.kubectl("exec", pod, "--", "/app/probe", "hello"), /^Seccomp:\s+2$/m);
  renameSync(inSandbox("tools-before"), join(platform.data, "tools-before"));
  for (const filter of filters) rmSync(join(platform.data, "tools-before", filter), { force: true });
  await assert.rejects(platform.kubectl("exec", pod, "--", "/app/probe", "hello"), /the filter of its seccompProfile cannot be put on it/);
  await platform.kubectl("delete", "ksvc", "exec");
  await gone("exec");
});

test("a container reads its limits and requests from its own control groups, which not even root in it can write", { skip }, async (t) => {
  if (existsSync("/sys/fs/cgroup/cgroup.controllers")) return t.skip("the names are those of version 1");
  const resources = { limits: { memory: "128Mi", cpu: 1 }, requests: { cpu: "125m" } };
  await platform.apply(service("groups", { resources, securityContext: { runAsUser: 0 } }));
  await seenBy("groups");
  const want = { "memory/memory.limit_in_bytes": "134217728", "cpu/cpu.shares": "128", "cpu/cpu.cfs_quota_us": "100000", "cpu/cpu.cfs_period_us": "100000" };
  const files = Object.keys(want).map((name) => `/sys/fs/cgroup/${name}`);
  const said = await platform.kubectl("exec", await podOf("groups"), "--", "/app/probe", "files", ...files, "/sys/fs/cgroup/more");
  for (const [name, value] of Object.entries(want)) {
    const file = `/sys/fs/cgroup/${name}`;
    assert.ok(said.includes(`${file} ${value} - open ${file}: read-only file system\n`), said);
  }
  assert.match(said, /^\/sys\/fs\/cgroup\/more  - open \S+: read-only file system$/m);
  await platform.kubectl("delete", "ksvc", "groups");
  await gone("groups");
});

test("a container that eats more than its limit is OOMKilled", { skip }, async () => {
  await platform.apply(service("eats", { resources: { limits: { memory: "64Mi" } } }));
  await seenBy("eats");
  await platform.request("eats.default.localhost", "/eat");
  const reason = await eventually("it was killed", async () => {
    const pod = await podOf("eats");
    const text = await platform.kubectl(
      "get",
      "pod",
      pod,
      "-o",
      "jsonpath={.status.containerStatuses[0].lastState.terminated.reason}{.status.containerStatuses[0].state.terminated.reason}",
    );
    return text !== "" && text;
  });
  assert.equal(reason, "OOMKilled");
  await platform.kubectl("delete", "ksvc", "eats");
  await gone("eats");
});

test("what is written to a claim of storage is there for the next pod, behind Knative's two features, and goes with the claim", { skip }, async () => {
  const claim = { apiVersion: "v1", kind: "PersistentVolumeClaim", metadata: { name: "kept" } };
  await platform.apply({ ...claim, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } });
  const shown = (path: string): Promise<string> => platform.kubectl("get", "pvc", "kept", "-o", `jsonpath={${path}}`);
  await eventually("it waits for a pod", async () =>
    (await platform.kubectl("describe", "pvc", "kept")).includes("waiting for first consumer to be created before binding"),
  );
  assert.deepEqual([await shown(".status.phase"), await shown(".spec.storageClassName")], ["Pending", "standard"]);
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "kept" } }];
  const writer = service("writer", { volumeMounts: [{ name: "data", mountPath: "/data", subPath: "part" }] }, { volumes });
  await assert.rejects(platform.apply(writer), /Persistent volume claim support is disabled, but found persistent volume claim kept/);
  const features = { "kubernetes.podspec-persistent-volume-claim": "enabled", "kubernetes.podspec-persistent-volume-write": "enabled" };
  await platform.kubectl("-n", "knative-serving", "patch", "configmap", "config-features", "--type=merge", "-p", JSON.stringify({ data: features }));
  await eventually("the features are in force", async () => (await platform.apply(writer).catch(() => undefined)) !== undefined);
  await seenBy("writer");
  assert.match(await platform.kubectl("exec", await podOf("writer"), "--", "/app/probe", "files", "/data/f"), /^\/data\/f  - <nil>$/m);
  assert.equal(await shown(".status.phase"), "Bound");
  await platform.kubectl("delete", "ksvc", "writer");
  await gone("writer");
  const container = { name: "app", image: "dev.local/layered:v1", volumeMounts: [{ name: "data", mountPath: "/data", readOnly: true }] };
  await platform.apply({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "reader" },
    spec: { terminationGracePeriodSeconds: 1, volumes, containers: [container] },
  });
  await platform.kubectl("wait", "pod", "reader", "--for=condition=Ready", "--timeout=60s");
  const read = await platform.kubectl("exec", "reader", "--", "/app/probe", "files", "/data/part/f");
  assert.match(read, /^\/data\/part\/f 9 - open \/data\/part\/f: read-only file system$/m);
  await platform.kubectl("delete", "pvc", "kept", "--wait=false");
  assert.match(await platform.kubectl("get", "pvc", "kept"), /Terminating/);
  const folders = (): readonly string[] => readdirSync(join(platform.data, "claims"));
  assert.match(folders().join(), /^pvc-[-0-9a-f]{36}_default_kept$/);
  await platform.kubectl("delete", "pod", "reader");
  await eventually(
    "claim, volume and files are gone",
    async () => (await platform.kubectl("get", "pvc,pv", "-o", "name")).trim() === "" && folders().length === 0,
  );
});

const knStory = [
  [skip !== false, String(skip)],
  [findProgram("kn", "KN") === undefined, "kn is not there: set KN to its path"],
  [findProgram("skopeo") === undefined, "skopeo is not on the PATH"],
] as const;

test(
  "the seeds' story on an image pushed into the built-in registry: kn deploys it, it answers, goes to zero, wakes, and is deleted",
  { skip: knStory.find(([missing]) => missing)?.[1] ?? false },
  async () => {
    const registry = (platform.state as unknown as { readonly registry: string }).registry;
    const image = `${registry}/story/layered:v1`;
    const layout = mkdtempSync(join(tmpdir(), "eider-layout-"));
    try {
      await ociLayout(layout);
      const pushed = await ran("skopeo", ["copy", "--dest-tls-verify=false", `oci:${layout}:v1`, `docker://${image}`], process.env);
      assert.equal(pushed.code, 0, pushed.stderr);
    } finally {
      rmSync(layout, { recursive: true, force: true });
    }
    await platform.kubectl(
      "-n",
      "knative-serving",
      "patch",
      "configmap",
      "config-autoscaler",
      "--type=merge",
      "-p",
      JSON.stringify({ data: { "scale-to-zero-grace-period": "6s" } }),
    );
    const made = await platform.kn("service", "create", "story", "--image", image, "--scale-window", "6s", "--env", "TARGET=sandbox");
    assert.equal(made.code, 0, made.stderr);
    assert.match(made.stdout, /Ready to serve\./);
    const first = await seenBy("story");
    assert.ok(first.env.includes("TARGET=sandbox"));
    assert.equal(
      await platform.kubectl("get", "pods", "-l", "serving.knative.dev/service=story", "-o", "jsonpath={.items[0].metadata.annotations.eider\\.dev/runtime}"),
      "sandbox",
    );
    await gone("story");
    const woken = await platform.request("story.default.localhost");
    assert.equal(woken.status, 200, woken.body);
    assert.notEqual((JSON.parse(woken.body) as Seen).host, first.host);
    const deleted = await platform.kn("service", "delete", "story", "--wait");
    assert.equal(deleted.code, 0, deleted.stderr);
    await gone("story");
  },
);

test("a platform that is told to end, and not to forget, leaves nothing of sandboxes on the machine", { skip }, async () => {
  await platform.apply(service("last"));
  await seenBy("last");
  assert.ok(machineLists(platform.data).devices.length > 0);
  // As a service manager or Ctrl-C does it: nobody calls `eider down`.
  process.kill(platform.state.keeperPid, "SIGTERM");
  await eventually("the keeper ends", async () => !existsSync(`/proc/${platform.state.keeperPid}`) || (await ended(platform.state.keeperPid)));
  const { mounts, devices, networks, groups, processes } = machineLists(platform.data);
  assert.deepEqual({ mounts, devices, networks, groups, processes }, { mounts: [], devices: [], networks: [], groups: [], processes: [] });
  assert.deepEqual(
    readdirSync(join(platform.data, "sandbox")).filter((name) => !name.startsWith("tools-")),
    [],
  );
});

/** One that nobody waits for stays in the list. */
async function ended(pid: number): Promise<boolean> {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
}

/** The image as a folder that other tools read. */
async function ociLayout(folder: string): Promise<void> {
  const digest = await storeLayered(folder, program, { name: "dev.local/layered:v1", salt: "pushed" });
  cpSync(join(folder, "images/blobs"), join(folder, "blobs"), { recursive: true });
  const size = statSync(join(folder, "blobs/sha256", digest.slice("sha256:".length))).size;
  writeFileSync(join(folder, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
  const manifest = { mediaType: "application/vnd.oci.image.manifest.v1+json", digest, size, annotations: { "org.opencontainers.image.ref.name": "v1" } };
  writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
}
