// From one start of a container to what the daemon is asked to create. Pure.
import { amountsOf, type CoreContainer, type Pod } from "#kinds";
import { ContainerConfigError, type ContainerStart, type Mount } from "../engine.ts";
import { LABELS, podLabels } from "./labels.ts";

/** As the daemon tells of an image: https://docs.docker.com/reference/api/engine/version/v1.41/ (ImageInspect). */
export interface DaemonImage {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Config?: {
    readonly User?: string;
    readonly StopSignal?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
  } | null;
}

export interface BodyFacts {
  readonly platform: string;
  readonly engine: "docker" | "podman";
  /** What the daemon knows the image by. */
  readonly image: string;
  readonly inspected: DaemonImage;
  /** The container that holds the pod's network. */
  readonly network: string;
  /** Files of ours that every container of the pod has. */
  readonly files: readonly Mount[];
}

/** The daemon keeps as much of the output as we do; what it keeps is for restarts of ours. */
const LOG = { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } };
const CPU_PERIOD_US = 100_000;
/** Of the kubelet: 1024 a processor, never fewer than 2. */
const CPU_SHARES = { perCpu: 1024, min: 2 } as const;
/** The kernel takes no shorter quota. */
const CPU_QUOTA_MIN_US = 1_000;
/** Open to all, with the sticky bit, as the kubelet makes memory volumes. */
const TMPFS_MODE = 0o1777;

/** Throws ContainerConfigError in the kubelet's words. */
export function containerBody(start: ContainerStart, facts: BodyFacts): object {
  const { pod, container, env } = start;
  const { platform, engine, image, inspected, network, files } = facts;
  checkNonRoot(pod, container, inspected.Config?.User ?? "");
  const stopSignal = container.lifecycle?.stopSignal ?? inspected.Config?.StopSignal ?? "";
  const command = container.command?.map((word) => expanded(word, env));
  const args = container.args?.map((word) => expanded(word, env));
  return {
    Image: image,
    ...(command === undefined ? {} : { Entrypoint: command }),
    ...(args === undefined ? {} : { Cmd: args }),
    Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...(container.workingDir === undefined ? {} : { WorkingDir: container.workingDir }),
    ...userOf(pod, container, inspected.Config?.User ?? ""),
    // Docker takes the name from the container that holds the network, and refuses another.
    ...(engine === "podman" ? { Hostname: hostnameOf(pod) } : {}),
    Tty: container.tty === true,
    OpenStdin: container.stdin === true,
    StdinOnce: container.stdinOnce === true,
    Labels: {
      ...podLabels(platform, pod),
      [LABELS.container]: container.name,
      [LABELS.restarts]: String(start.restarts),
      [LABELS.output]: start.outputFile,
      ...(stopSignal === "" ? {} : { [LABELS.stopSignal]: stopSignal }),
    },
    HostConfig: {
      NetworkMode: `container:${network}`,
      IpcMode: pod.spec.hostIPC === true ? "host" : `container:${network}`,
      ...(pod.spec.hostPID === true ? { PidMode: "host" } : pod.spec.shareProcessNamespace === true ? { PidMode: `container:${network}` } : {}),
      LogConfig: LOG,
      RestartPolicy: { Name: "no" },
      ...resourcesOf(container),
      ...securityOf(pod, container),
      Mounts: [...files.map(mountBody), ...mountsOf(start)],
    },
  };
}

/** Of the pod, cut to what a host may be called, as the kubelet does it. */
export function hostnameOf({ metadata, spec }: Pod): string {
  const name = spec.hostname ?? "";
  return name === "" ? metadata.name.slice(0, 63).replace(/[-.]+$/, "") : name;
}

/** `$(NAME)` of the container's variables, `$$` for a dollar; what is unknown stays as written. */
function expanded(word: string, env: Readonly<Record<string, string>>): string {
  return word.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (whole, name?: string) => (name === undefined ? "$" : (env[name] ?? whole)));
}

function userOf({ spec }: Pod, { securityContext }: CoreContainer, imageUser: string): { readonly User?: string } {
  const user = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  const group = securityContext?.runAsGroup ?? spec.securityContext?.runAsGroup;
  if (user === undefined && group === undefined) return {};
  const name = user === undefined ? (imageUser.split(":")[0] ?? "") || "0" : String(user);
  return { User: group === undefined ? name : `${name}:${group}` };
}

function checkNonRoot({ metadata, spec }: Pod, { name, securityContext }: CoreContainer, imageUser: string): void {
  if ((securityContext?.runAsNonRoot ?? spec.securityContext?.runAsNonRoot) !== true) return;
  const where = `(pod: "${metadata.name}_${metadata.namespace ?? ""}(${metadata.uid})", container: ${name})`;
  const asked = securityContext?.runAsUser ?? spec.securityContext?.runAsUser;
  if (asked === 0) throw new ContainerConfigError(`container's runAsUser breaks non-root policy ${where}`);
  if (asked !== undefined) return;
  const user = imageUser.split(":")[0] ?? "";
  if (user === "" || user === "0") throw new ContainerConfigError(`container has runAsNonRoot and image will run as root ${where}`);
  if (!/^\d+$/.test(user))
    throw new ContainerConfigError(`container has runAsNonRoot and image has non-numeric user (${user}), cannot verify user is non-root ${where}`);
}

function resourcesOf({ resources }: CoreContainer): object {
  const limits = amountsOf(resources?.limits);
  const requests = amountsOf(resources?.requests);
  const shares = requests.cpuMillis ?? limits.cpuMillis;
  return {
    // As much swap as memory would be twice the limit.
    ...(limits.memoryBytes === undefined ? {} : { Memory: limits.memoryBytes, MemorySwap: limits.memoryBytes }),
    ...(limits.cpuMillis === undefined
      ? {}
      : { CpuPeriod: CPU_PERIOD_US, CpuQuota: Math.max(CPU_QUOTA_MIN_US, Math.floor((limits.cpuMillis * CPU_PERIOD_US) / 1000)) }),
    ...(shares === undefined ? {} : { CpuShares: Math.max(CPU_SHARES.min, Math.floor((shares * CPU_SHARES.perCpu) / 1000)) }),
  };
}

function securityOf({ spec }: Pod, { securityContext }: CoreContainer): object {
  const groups = [...(spec.securityContext?.supplementalGroups ?? []), ...(spec.securityContext?.fsGroup === undefined ? [] : [spec.securityContext.fsGroup])];
  const seccomp = securityContext?.seccompProfile ?? spec.securityContext?.seccompProfile;
  const appArmor = securityContext?.appArmorProfile ?? spec.securityContext?.appArmorProfile;
  const options = [
    ...(securityContext?.allowPrivilegeEscalation === false ? ["no-new-privileges"] : []),
    ...(seccomp?.type === "Unconfined" ? ["seccomp=unconfined"] : []),
    ...(appArmor?.type === "Unconfined" ? ["apparmor=unconfined"] : []),
  ];
  const { add = [], drop = [] } = securityContext?.capabilities ?? {};
  return {
    ...(securityContext?.privileged === true ? { Privileged: true } : {}),
    ...(securityContext?.readOnlyRootFilesystem === true ? { ReadonlyRootfs: true } : {}),
    ...(add.length === 0 ? {} : { CapAdd: add.map(capability) }),
    ...(drop.length === 0 ? {} : { CapDrop: drop.map(capability) }),
    ...(options.length === 0 ? {} : { SecurityOpt: options }),
    ...(groups.length === 0 ? {} : { GroupAdd: groups.map(String) }),
  };
}

function capability(name: string): string {
  return name.toUpperCase().replace(/^CAP_/, "");
}

function mountsOf({ mounts, container, terminationFile }: ContainerStart): object[] {
  const termination = terminationFile === undefined ? [] : [{ source: { path: terminationFile }, target: terminationPath(container), readOnly: false }];
  return [...mounts, ...termination].map(mountBody);
}

function terminationPath({ terminationMessagePath }: CoreContainer): string {
  return (terminationMessagePath ?? "") === "" ? "/dev/termination-log" : (terminationMessagePath ?? "");
}

function mountBody({ source, target, readOnly }: Mount): object {
  if ("path" in source) return { Type: "bind", Source: source.path, Target: target, ReadOnly: readOnly };
  const { memoryBytesMax } = source;
  const size = memoryBytesMax === undefined ? {} : { SizeBytes: memoryBytesMax };
  return { Type: "tmpfs", Target: target, ReadOnly: readOnly, TmpfsOptions: { ...size, Mode: TMPFS_MODE } };
}
