// Volumes of pods on an engine that can mount: what is in them, how it changes, what is said when it is not there.
import assert from "node:assert/strict";
import { chmodSync, existsSync, linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Mount } from "../../engine.ts";
import { FakeEngine } from "../fake-engine.test-suite.ts";
import { podWith, stateOf, world, type Any, type World } from "../runtime-world.test-suite.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const NAME = "user-container";

/** A pod with one container that mounts each volume at `/<name>`. */
function podMounting(volumes: readonly Any[], mounts: readonly Any[] = volumes.map(({ name }) => ({ name, mountPath: `/${String(name)}` })), spec: Any = {}) {
  return podWith({ volumes, ...spec }, { volumeMounts: mounts });
}

async function started(
  t: TestContext,
  pod: ReturnType<typeof podWith>,
  prepare: (w: World) => void = () => {},
): Promise<World & { readonly engine: FakeEngine; folder(target: string): string }> {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  prepare(w);
  w.pods.put(pod);
  await w.until(() => engine.starts.size > 0);
  return { ...w, engine, folder: (target) => pathOf(engine.started(NAME).mounts, target) };
}

function pathOf(mounts: readonly Mount[], target: string): string {
  const mount = mounts.find((each) => each.target === target);
  assert.ok(mount !== undefined && "path" in mount.source, `nothing is mounted at ${target}`);
  return mount.source.path;
}

const modeOf = (path: string): string => (statSync(path).mode & 0o7777).toString(8);

test("a ConfigMap, a Secret and fields become files, with items and modes, read-only; an absent one that is optional is empty", async (t) => {
  const volumes = [
    { name: "all", configMap: { name: "c" } },
    { name: "some", configMap: { name: "c", items: [{ key: "a", path: "deep/down", mode: 0o600 }], defaultMode: 0o640 } },
    { name: "secret", secret: { secretName: "s", defaultMode: 0o400 } },
    {
      name: "about",
      downwardAPI: {
        items: [
          { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
          { path: "ip", fieldRef: { fieldPath: "status.podIP" } },
        ],
      },
    },
    { name: "none", configMap: { name: "nowhere", optional: true } },
  ];
  const w = await started(t, podMounting(volumes), ({ pods }) => {
    pods.putObject("ConfigMap", "c", { data: { a: "1", b: "2" }, binaryData: { raw: base64("\0\u0001") } });
    pods.putObject("Secret", "s", { data: { key: base64("hidden") } });
  });
  assert.deepEqual(
    readdirSync(w.folder("/all")).filter((name) => !name.startsWith("..")),
    ["a", "b", "raw"],
  );
  assert.equal(readFileSync(join(w.folder("/all"), "raw"), "utf8"), "\0\u0001");
  assert.deepEqual([readFileSync(join(w.folder("/some"), "deep/down"), "utf8"), modeOf(join(w.folder("/some"), "deep/down"))], ["1", "600"]);
  assert.deepEqual([readFileSync(join(w.folder("/secret"), "key"), "utf8"), modeOf(join(w.folder("/secret"), "key"))], ["hidden", "400"]);
  assert.equal(readFileSync(join(w.folder("/about"), "labels"), "utf8"), 'serving.knative.dev/revision="r"');
  assert.equal(readFileSync(join(w.folder("/about"), "ip"), "utf8"), "127.0.0.1");
  assert.deepEqual(
    readdirSync(w.folder("/none")).filter((name) => !name.startsWith("..")),
    [],
  );
  assert.ok(w.engine.started(NAME).mounts.every(({ readOnly }) => readOnly));
});

test("several sources share one volume", async (t) => {
  const sources = [{ configMap: { name: "c" } }, { secret: { name: "s", items: [{ key: "key", path: "sub/key" }] } }];
  const w = await started(t, podMounting([{ name: "v", projected: { sources } }]), ({ pods }) => {
    pods.putObject("ConfigMap", "c", { data: { a: "1" } });
    pods.putObject("Secret", "s", { data: { key: base64("hidden") } });
  });
  assert.deepEqual([readFileSync(join(w.folder("/v"), "a"), "utf8"), readFileSync(join(w.folder("/v"), "sub/key"), "utf8")], ["1", "hidden"]);
});

test("an object that changes is mounted anew, all files at once, without the pod's notice; one that goes stays as it was", async (t) => {
  const w = await started(t, podMounting([{ name: "v", configMap: { name: "c" } }]), ({ pods }) =>
    pods.putObject("ConfigMap", "c", { data: { a: "1", gone: "x" } }),
  );
  const file = (name: string): string => join(w.folder("/v"), name);
  assert.ok(lstatSync(file("a")).isSymbolicLink());
  w.pods.putObject("ConfigMap", "c", { data: { a: "2", fresh: "y" } });
  await w.until(() => readFileSync(file("a"), "utf8") === "2");
  assert.deepEqual(
    readdirSync(w.folder("/v")).filter((name) => !name.startsWith("..")),
    ["a", "fresh"],
  );
  assert.equal(readdirSync(w.folder("/v")).filter((name) => name.startsWith("..2")).length, 1);
  assert.deepEqual(w.engine.log, ["open p", `start ${NAME}`]);
});

test("what is missing is told in the kubelet's words, and the pod starts when it comes", async (t) => {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  w.pods.put(podMounting([{ name: "v", configMap: { name: "c", items: [{ key: "k", path: "k" }] } }]));
  const words = 'MountVolume.SetUp failed for volume "v" : configmap "c" not found';
  await w.until(() => stateOf(w.pods)?.state?.waiting?.message === words, 100);
  const [failed] = w.events.filter(({ reason }) => reason === "FailedMount");
  assert.deepEqual([stateOf(w.pods)?.state?.waiting?.reason, failed], ["ContainerCreating", { type: "Warning", reason: "FailedMount", message: words }]);
  w.pods.putObject("ConfigMap", "c", { data: {} });
  await w.until(() => w.events.some(({ message }) => message.endsWith(": configmap references non-existent config key: k")));
  w.pods.putObject("ConfigMap", "c", { data: { k: "1" } });
  await w.until(() => engine.starts.size === 1);
});

const refused: readonly { readonly name: string; readonly volume: Any; readonly words: RegExp }[] = [
  { name: "a Secret that is not there", volume: { secret: { secretName: "s" } }, words: /: secret "s" not found$/ },
  {
    name: "a path that is none",
    volume: { hostPath: { path: "/no/such/path", type: "Directory" } },
    words: /: hostPath type check failed: \/no\/such\/path is not a directory$/,
  },
  { name: "a file that is a folder", volume: { hostPath: { path: "/tmp", type: "File" } }, words: /: hostPath type check failed: \/tmp is not a file$/ },
  { name: "a type that nobody has", volume: { nfs: { server: "s", path: "/" } }, words: /: this platform has no volumes of the type nfs$/ },
];
for (const { name, volume, words } of refused) {
  test(`a volume that cannot be had: ${name}`, async (t) => {
    const w = await world(t, undefined, new FakeEngine());
    w.pods.put(podMounting([{ name: "v", ...volume }]));
    const failed = () => w.events.find(({ reason }) => reason === "FailedMount");
    await w.until(() => failed() !== undefined);
    assert.match(failed()?.message ?? "", words);
  });
}

test("an empty folder is everybody's to write, shared by the pod's containers, kept over restarts and gone with the pod", async (t) => {
  const second = { name: "second", image: "x", volumeMounts: [{ name: "v", mountPath: "/here" }] };
  const pod = podMounting([
    { name: "v", emptyDir: {} },
    { name: "fast", emptyDir: { medium: "Memory", sizeLimit: "1Mi" } },
  ]);
  const w = await started(t, { ...pod, spec: { ...pod.spec, containers: [...pod.spec.containers, second] } });
  await w.until(() => w.engine.starts.size === 2);
  assert.equal(pathOf(w.engine.started("second").mounts, "/here"), w.folder("/v"));
  assert.equal(modeOf(w.folder("/v")), "777");
  const fast = w.folder("/fast");
  writeFileSync(join(w.folder("/v"), "kept"), "");
  writeFileSync(join(fast, "kept"), "");
  w.engine.exit(NAME, { exitCode: 1 });
  await w.until(() => w.engine.log.filter((line) => line === `start ${NAME}`).length === 2);
  const folder = w.folder("/v");
  assert.ok(existsSync(join(folder, "kept")) && existsSync(join(fast, "kept")));
  w.pods.remove("p");
  await w.until(() => w.engine.log.at(-1) === "close p", 100);
  assert.deepEqual([existsSync(folder), existsSync(join(fast, "kept"))], [false, false]);
});

test("paths of the machine are made where the pod asks for it", async (t) => {
  const dir = { path: "" };
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  dir.path = join(w.dir, "made", "here");
  w.pods.put(podMounting([{ name: "v", hostPath: { path: dir.path, type: "DirectoryOrCreate" } }]));
  await w.until(() => engine.starts.size === 1);
  assert.deepEqual(engine.started(NAME).mounts, [{ source: { path: dir.path }, target: "/v", readOnly: false }]);
  assert.ok(statSync(dir.path).isDirectory());
});

test("a part of a volume is mounted, and made where programs may write", async (t) => {
  const mounts = [
    { name: "v", mountPath: "/part", subPath: "a/b" },
    { name: "v", mountPath: "/own", subPathExpr: "of-$(WHO)" },
    { name: "c", mountPath: "/etc/app.conf", subPath: "app.conf" },
  ];
  const volumes = [
    { name: "v", emptyDir: {} },
    { name: "c", configMap: { name: "c" } },
  ];
  const pod = podMounting(volumes, mounts);
  const [container] = pod.spec.containers;
  assert.ok(container !== undefined);
  const w = await started(t, { ...pod, spec: { ...pod.spec, containers: [{ ...container, env: [{ name: "WHO", value: "me" }] }] } }, ({ pods }) =>
    pods.putObject("ConfigMap", "c", { data: { "app.conf": "x" } }),
  );
  assert.match(w.folder("/part"), /\/v\/a\/b$/);
  assert.match(w.folder("/own"), /\/v\/of-me$/);
  assert.equal(readFileSync(w.folder("/etc/app.conf"), "utf8"), "x");
});

test("a link that a program made does not lead a mount out of its volume", async (t) => {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  const shared = join(w.dir, "shared");
  mkdirSync(shared);
  symlinkSync("/etc", join(shared, "out"));
  symlinkSync(join(w.dir, "nowhere"), join(shared, "dangling"));
  for (const [index, subPath] of ["out", "out/ssl", "dangling"].entries()) {
    const uid = `u${index + 1}`;
    const pod = podMounting([{ name: "v", hostPath: { path: shared } }], [{ name: "v", mountPath: "/v", subPath }]);
    w.pods.put({ ...pod, metadata: { ...pod.metadata, name: uid, uid } });
    await w.until(() => w.pods.get(uid).status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError", 100);
    const { message = "" } = w.pods.get(uid).status?.containerStatuses?.[0]?.state?.waiting ?? {};
    assert.equal(message, `failed to prepare subPath for volumeMount "v" of container "${NAME}": subPath ${JSON.stringify(subPath)} leads out of the volume`);
  }
  assert.equal(engine.starts.size, 0);
});

test("the last words of a container are its message", async (t) => {
  const w = await started(t, podWith({ restartPolicy: "Never" }));
  const { terminationFile = "" } = w.engine.started(NAME);
  assert.equal(modeOf(terminationFile), "666");
  writeFileSync(terminationFile, "out of ideas");
  w.engine.exit(NAME, { exitCode: 4, oomKilled: true });
  await w.until(() => stateOf(w.pods)?.state?.terminated !== undefined);
  const { exitCode, reason, message } = stateOf(w.pods)?.state?.terminated ?? {};
  assert.deepEqual([exitCode, reason, message], [4, "OOMKilled", "out of ideas"]);
});

test("volumes of pods that are gone when the platform starts are removed", async (t) => {
  const first = await world(t, undefined, new FakeEngine());
  await first.until(() => existsSync(join(first.dir, "volumes")));
  const left = join(first.dir, "volumes", "gone", "v");
  mkdirSync(left, { recursive: true });
  const second = await first.restart();
  await second.until(() => !existsSync(left));
});

const TOKEN_AT = "/var/run/secrets/kubernetes.io/serviceaccount";

function withAccount({ pods }: World, account: Any = {}): void {
  pods.putObject("ServiceAccount", "default", account);
  pods.putObject("ConfigMap", "kube-root-ca.crt", { data: { "ca.crt": "CA" } });
}

test("a pod is given its account's token, the CA and its namespace, and is told where the API is; the token is renewed in time", async (t) => {
  const w = await started(t, podWith(), withAccount);
  const read = (name: string): string => readFileSync(join(w.folder(TOKEN_AT), name), "utf8");
  assert.deepEqual([read("token"), read("ca.crt"), read("namespace")], ["default/api/1", "CA", "default"]);
  assert.deepEqual(w.engine.started(NAME).env["KUBERNETES_SERVICE_PORT"], undefined, "nothing leads there from such a place");
  await w.clock.advance(3607 * 800 - 1000);
  assert.equal(read("token"), "default/api/1");
  await w.until(() => read("token") === "default/api/2", 1_000);
});

test("where the machine's loopback can be reached, the API is found by name", async (t) => {
  const engine = new FakeEngine();
  engine.place = { ...engine.place, loopback: "10.0.2.2" };
  const w = await world(t, undefined, engine);
  w.pods.put(podWith({ hostAliases: [{ ip: "10.1.1.1", hostnames: ["a", "b"] }] }));
  await w.until(() => engine.starts.size === 1);
  const { env, hosts } = engine.started(NAME);
  assert.deepEqual([env["KUBERNETES_SERVICE_HOST"], env["KUBERNETES_SERVICE_PORT"]], ["kubernetes.default.svc", "6443"]);
  assert.deepEqual(hosts, [
    { ip: "10.0.2.2", names: ["kubernetes.default.svc", "kubernetes.default", "kubernetes"] },
    { ip: "10.1.1.1", names: ["a", "b"] },
  ]);
});

test("a token for somebody else is projected where the pod asks for it", async (t) => {
  const sources = [{ serviceAccountToken: { path: "here", audience: "vault", expirationSeconds: 600 } }];
  const w = await started(t, podMounting([{ name: "v", projected: { sources } }]));
  assert.equal(readFileSync(join(w.folder("/v"), "here"), "utf8"), "default/vault/1");
});

const untold: readonly { readonly name: string; readonly account?: Any; readonly spec: Any }[] = [
  { name: "the pod wants none", spec: { automountServiceAccountToken: false } },
  { name: "its account gives none", account: { automountServiceAccountToken: false }, spec: {} },
];
for (const { name, account, spec } of untold) {
  test(`no token is mounted when ${name}`, async (t) => {
    const w = await started(t, podWith(spec), (each) => withAccount(each, account));
    assert.deepEqual(w.engine.started(NAME).mounts, []);
  });
}

test("labels that change reach the files that tell them; a token that is still good is not minted again", async (t) => {
  const w = await started(
    t,
    podMounting([{ name: "v", downwardAPI: { items: [{ path: "l", fieldRef: { fieldPath: "metadata.labels['l']" } }] } }]),
    withAccount,
  );
  const { metadata, ...rest } = w.pods.get("p");
  w.pods.put({ ...rest, metadata: { ...metadata, labels: { ...metadata.labels, l: "new" } } });
  await w.until(() => readFileSync(join(w.folder("/v"), "l"), "utf8") === "new");
  assert.equal(readFileSync(join(w.folder(TOKEN_AT), "token"), "utf8"), "default/api/1");
});

/** A claim `data` of the namespace, bound to a volume at `path` or to none yet. */
function putClaim({ pods }: World, path: string | undefined, spec: Any = {}): void {
  if (path !== undefined)
    pods.putObject("PersistentVolume", "v", { spec: { local: { path }, accessModes: ["ReadWriteOnce"], claimRef: { uid: "uid-data" }, ...spec } });
  pods.putObject(
    "PersistentVolumeClaim",
    "data",
    path === undefined ? { spec: {}, status: { phase: "Pending" } } : { spec: { volumeName: "v" }, status: { phase: "Bound" } },
  );
}

const CLAIM = { name: "v", persistentVolumeClaim: { claimName: "data" } };

test("a pod waits for a claim that is not bound, told in the kubelet's words, and starts when it is; its parts are folders of the volume", async (t) => {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  const kept = join(w.dir, "kept");
  mkdirSync(kept);
  chmodSync(kept, 0o777);
  putClaim(w, undefined);
  const mounts = [
    { name: "v", mountPath: "/whole" },
    { name: "v", mountPath: "/part", subPath: "a/b" },
    { name: "look", mountPath: "/look" },
  ];
  w.pods.put(podMounting([CLAIM, { name: "look", persistentVolumeClaim: { claimName: "data", readOnly: true } }], mounts));
  await w.until(() => w.events.some(({ reason }) => reason === "FailedMount"));
  const told =
    "Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/data: PVC is not bound";
  assert.equal(w.events.find(({ reason }) => reason === "FailedMount")?.message, told);
  assert.equal(engine.starts.size, 0);
  const before = w.clock.monotonicMs();
  putClaim(w, kept);
  await w.until(() => engine.starts.size > 0);
  assert.ok(w.clock.monotonicMs() - before < 1_000, "it was told of the change and did not wait for its next try");
  const seen = engine.started(NAME).mounts.map(({ source, target, readOnly }) => [target, "path" in source && source.path, readOnly]);
  assert.deepEqual(seen, [
    ["/whole", kept, false],
    ["/part", join(kept, "a/b"), false],
    ["/look", kept, true],
  ]);
  assert.deepEqual([modeOf(join(kept, "a")), modeOf(join(kept, "a/b"))], [modeOf(kept), modeOf(kept)], "who may use the volume may use its parts");
  writeFileSync(join(kept, "mine"), "x");
  w.drained.resolve();
  w.pods.remove("p");
  await w.until(() => engine.log.includes("close p"));
  assert.ok(existsSync(join(kept, "mine")), "what is in it outlives the pod");
});

test("of a claimed folder the pod's group may do all, and it alone; a path of the machine keeps who may use it", async (t) => {
  const isRoot = process.getuid?.() === 0;
  for (const { name, source, want } of [
    { name: "local", source: (path: string): Any => ({ local: { path } }), want: isRoot ? ["2770", 1234] : ["700", process.getgid?.()] },
    { name: "hostPath", source: (path: string): Any => ({ local: undefined, hostPath: { path } }), want: ["700", process.getgid?.()] },
  ]) {
    const w = await started(t, podMounting([CLAIM], undefined, { securityContext: { fsGroup: 1234 } }), (before) => {
      mkdirSync(join(before.dir, "kept"), { mode: 0o700 });
      putClaim(before, "", source(join(before.dir, "kept")));
    });
    const folder = w.folder("/v");
    assert.deepEqual([modeOf(folder), statSync(folder).gid], want, name);
  }
});

const unusable = [
  { name: "a claim that is not there", put: () => {}, want: /failed to fetch PVC from API server: persistentvolumeclaims "data" not found$/ },
  {
    name: "another claim's volume",
    put: (w: World) => putClaim(w, "/", { claimRef: { uid: "other" } }),
    want: /its pv\.Spec\.ClaimRef\.UID other does not point to claim\.UID uid-data$/,
  },
  {
    name: "a folder that is gone",
    put: (w: World) => putClaim(w, "/nowhere/at/all"),
    want: /^MountVolume\.SetUp failed for volume "v" : path "\/nowhere\/at\/all" does not exist$/,
  },
  {
    name: "a volume elsewhere",
    put: (w: World) => putClaim(w, "/", { local: undefined, nfs: { server: "s", path: "/" } }),
    want: /this platform cannot mount volumes of the type nfs$/,
  },
];
for (const { name, put, want } of unusable)
  test(`a pod with ${name} waits, and says why`, async (t) => {
    const w = await world(t, undefined, new FakeEngine());
    put(w);
    w.pods.put(podMounting([CLAIM]));
    await w.until(() => w.events.some(({ reason }) => reason === "FailedMount"));
    assert.match(w.events.find(({ reason }) => reason === "FailedMount")?.message ?? "", want);
    await w.until(() => stateOf(w.pods)?.state?.waiting?.reason === "ContainerCreating");
  });

test("a pod whose emptyDir holds more than its limit is evicted as the kubelet does it, and gives the room back; one that does not is left alone", async (t) => {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  w.pods.put(
    podMounting([
      { name: "scratch", emptyDir: { sizeLimit: "64Ki" } },
      { name: "free", emptyDir: {} },
    ]),
  );
  await w.until(() => engine.starts.size > 0);
  const folder = pathOf(engine.started(NAME).mounts, "/scratch");
  mkdirSync(join(folder, "deep"));
  writeFileSync(join(folder, "deep/a"), Buffer.alloc(40 << 10, 1));
  // Names of one file count once.
  linkSync(join(folder, "deep/a"), join(folder, "b"));
  writeFileSync(join(pathOf(engine.started(NAME).mounts, "/free"), "large"), Buffer.alloc(1 << 20, 1));
  await w.clock.advance(120_000);
  assert.equal(w.pods.get("p").status?.phase, "Running");
  writeFileSync(join(folder, "c"), Buffer.alloc(40 << 10, 1));
  await w.until(() => engine.log.includes("SIGKILL user-container"), 500);
  await w.until(() => w.pods.get("p").status?.phase === "Failed");
  const message = 'Usage of EmptyDir volume "scratch" exceeds the limit "64Ki". ';
  const { reason, message: told } = w.pods.get("p").status ?? {};
  assert.deepEqual([reason, told], ["Evicted", message]);
  assert.deepEqual(
    w.events.filter((event) => event.reason === "Evicted").map(({ type, message: said }) => [type, said]),
    [["Warning", message]],
  );
  await w.until(() => !existsSync(folder));
});

test("a volume for one pod has one: the next waits until that is over", async (t) => {
  const engine = new FakeEngine();
  const w = await world(t, undefined, engine);
  putClaim(w, w.dir, { accessModes: ["ReadWriteOncePod"] });
  const first = podMounting([CLAIM]);
  const second = { ...first, metadata: { ...first.metadata, name: "q", uid: "u2", creationTimestamp: "2026-01-01T00:00:01Z" } };
  w.pods.put(second);
  w.pods.put(first);
  await w.until(() => engine.starts.has(`u1/${NAME}`) && w.events.some(({ reason }) => reason === "FailedMount"), 100);
  const told = 'MountVolume.SetUp failed for volume "v" : volume uses the ReadWriteOncePod access mode and is already in use by another pod';
  assert.deepEqual([w.events.find(({ reason }) => reason === "FailedMount")?.message, engine.starts.has(`u2/${NAME}`)], [told, false]);
  w.drained.resolve();
  w.pods.remove("p");
  await w.until(() => engine.starts.has(`u2/${NAME}`), 100);
});
