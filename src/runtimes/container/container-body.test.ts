import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "#kinds";
import { ContainerConfigError, type ContainerStart } from "../engine.ts";
import { containerBody, hostnameOf, type BodyFacts } from "./container-body.ts";

type Any = Record<string, unknown>;

function startOf(container: Any = {}, spec: Any = {}, more: Partial<ContainerStart> = {}): ContainerStart {
  const full = { name: "c", image: "i", ...container };
  const pod = { metadata: { name: "p", namespace: "n", uid: "u" }, spec: { containers: [full], ...spec } } as unknown as Pod;
  const place = { podIP: "10.0.0.2", hostIP: "10.0.0.1", sharesPorts: false };
  const rest = { restarts: 0, imageDigest: "sha256:x", env: {}, mounts: [], place, addresses: {}, hosts: [], outputFile: "/logs/0.log" };
  return { id: "u/c", pod, container: full as ContainerStart["container"], ...rest, ...more };
}

function body(start: ContainerStart, facts: Partial<BodyFacts> = {}): Any & { readonly HostConfig: Any } {
  const all = { platform: "me", engine: "docker", image: "img", inspected: { Id: "sha256:x" }, network: "net", files: [], ...facts } as const;
  return containerBody(start, all) as Any & { readonly HostConfig: Any };
}

test("command and args are Kubernetes', with variables of the container", () => {
  const env = { A: "1" };
  const both = body(startOf({ command: ["/run", "$(A)$(B)$$"], args: ["$(A)"] }, {}, { env }));
  assert.deepEqual([both["Entrypoint"], both["Cmd"], both["Env"]], [["/run", "1$(B)$"], ["1"], ["A=1"]]);
  const none = body(startOf());
  assert.ok(!("Entrypoint" in none) && !("Cmd" in none));
  assert.deepEqual(body(startOf({ args: ["x"] }))["Cmd"], ["x"]);
});

test("users and groups: the container's before the pod's, a group alone keeps the image's user", () => {
  const user = (security: Any, podSecurity: Any = {}, image = ""): unknown =>
    body(startOf({ securityContext: security }, { securityContext: podSecurity }), { inspected: { Id: "i", Config: { User: image } } })["User"];
  assert.equal(user({}), undefined);
  assert.equal(user({ runAsUser: 7 }, { runAsUser: 8, runAsGroup: 9 }), "7:9");
  assert.equal(user({ runAsGroup: 9 }, {}, "app:app"), "app:9");
  assert.equal(user({ runAsGroup: 9 }), "0:9");
  assert.deepEqual(body(startOf({}, { securityContext: { fsGroup: 5, supplementalGroups: [6] } })).HostConfig["GroupAdd"], ["6", "5"]);
});

test("runAsNonRoot: the kubelet's three complaints", () => {
  const check = (security: Any, image: string) => () =>
    body(startOf({ securityContext: { runAsNonRoot: true, ...security } }), { inspected: { Id: "i", Config: { User: image } } });
  const where = '(pod: "p_n(u)", container: c)';
  const complaint = (message: string) => (error: unknown) => error instanceof ContainerConfigError && error.message === message;
  assert.throws(check({ runAsUser: 0 }, "7"), complaint(`container's runAsUser breaks non-root policy ${where}`));
  for (const root of ["", "0", "0:7"]) assert.throws(check({}, root), complaint(`container has runAsNonRoot and image will run as root ${where}`));
  assert.throws(check({}, "app:7"), complaint(`container has runAsNonRoot and image has non-numeric user (app), cannot verify user is non-root ${where}`));
  for (const fine of [check({ runAsUser: 7 }, "app"), check({}, "7")]) assert.doesNotThrow(fine);
});

test("limits: memory without swap, a quota, and shares by the request, else by the limit", () => {
  const host = (resources: Any): Any => {
    const { Memory, MemorySwap, CpuPeriod, CpuQuota, CpuShares } = body(startOf({ resources })).HostConfig;
    return { Memory, MemorySwap, CpuPeriod, CpuQuota, CpuShares };
  };
  const none = { Memory: undefined, MemorySwap: undefined, CpuPeriod: undefined, CpuQuota: undefined, CpuShares: undefined };
  assert.deepEqual(host({}), none);
  const limited = { Memory: 64 << 20, MemorySwap: 64 << 20, CpuPeriod: 100_000, CpuQuota: 25_000, CpuShares: 256 };
  assert.deepEqual(host({ limits: { memory: "64Mi", cpu: "250m" } }), limited);
  assert.deepEqual(host({ limits: { cpu: "1m" }, requests: { cpu: "1" } }), { ...none, CpuPeriod: 100_000, CpuQuota: 1_000, CpuShares: 1_024 });
});

test("security: capabilities, privileges, profiles, a root that is read only", () => {
  const securityContext = {
    capabilities: { add: ["CAP_NET_ADMIN", "sys_time"], drop: ["ALL"] },
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    seccompProfile: { type: "Unconfined" },
  };
  const { CapAdd, CapDrop, SecurityOpt, ReadonlyRootfs, Privileged } = body(startOf({ securityContext })).HostConfig;
  assert.deepEqual([CapAdd, CapDrop, SecurityOpt], [["NET_ADMIN", "SYS_TIME"], ["ALL"], ["no-new-privileges", "seccomp=unconfined"]]);
  assert.deepEqual([ReadonlyRootfs, Privileged], [true, undefined]);
});

test("what is shared in a pod, and the host's when asked", () => {
  const shared = (spec: Any): unknown[] => [body(startOf({}, spec)).HostConfig["PidMode"], body(startOf({}, spec)).HostConfig["IpcMode"]];
  assert.deepEqual(shared({}), [undefined, "container:net"]);
  assert.deepEqual(shared({ shareProcessNamespace: true }), ["container:net", "container:net"]);
  assert.deepEqual(shared({ hostPID: true, hostIPC: true }), ["host", "host"]);
  assert.equal(body(startOf()).HostConfig["NetworkMode"], "container:net");
});

test("mounts: files of the host, memory, and the termination message", () => {
  const mounts = [
    { source: { path: "/h" }, target: "/c", readOnly: true },
    { source: { memoryBytesMax: 7 }, target: "/m", readOnly: false },
  ];
  assert.deepEqual(body(startOf({}, {}, { mounts, terminationFile: "/t" })).HostConfig["Mounts"], [
    { Type: "bind", Source: "/h", Target: "/c", ReadOnly: true },
    { Type: "tmpfs", Target: "/m", ReadOnly: false, TmpfsOptions: { SizeBytes: 7, Mode: 0o1777 } },
    { Type: "bind", Source: "/t", Target: "/dev/termination-log", ReadOnly: false },
  ]);
});

test("labels tell whose it is, and the hostname is the pod's, in Podman by our word", () => {
  const labels = body(startOf({}, {}, { restarts: 3 }), { inspected: { Id: "i", Config: { StopSignal: "SIGQUIT" } } })["Labels"];
  assert.deepEqual(labels, {
    "dev.eider.platform": "me",
    "dev.eider.pod-uid": "u",
    "dev.eider.pod": "p",
    "dev.eider.namespace": "n",
    "dev.eider.container": "c",
    "dev.eider.restarts": "3",
    "dev.eider.output": "/logs/0.log",
    "dev.eider.stop-signal": "SIGQUIT",
  });
  assert.deepEqual([body(startOf())["Hostname"], body(startOf(), { engine: "podman" })["Hostname"]], [undefined, "p"]);
  const long = { metadata: { name: `${"a".repeat(62)}-b` }, spec: {} } as unknown as Pod;
  assert.equal(hostnameOf(long), "a".repeat(62));
});
