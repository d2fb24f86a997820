// The user of a container: what the pod says, else what its image says, looked up in the image's own files.
import type { CoreContainer, Pod } from "#kinds";
import { ContainerConfigError } from "../engine.ts";
import { readIn, type Layers } from "./layered-tree.ts";

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  /** Beside `gid`. */
  readonly groups: readonly number[];
  readonly home: string;
}

const FILE_BYTES_MAX = 1 << 20;

interface Line {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Throws ContainerConfigError in the kubelet's words when `runAsNonRoot` is not kept, and for names that the image does not know. */
export function userOf(pod: Pod, container: CoreContainer, imageUser: string, layers: Layers): ContainerUser {
  const context = { ...pod.spec.securityContext, ...container.securityContext };
  const [name = "", group = ""] = imageUser.split(":");
  const lines = (readIn(layers, "/etc/passwd", FILE_BYTES_MAX) ?? "").split("\n").flatMap(passwdLine);
  const groups = (readIn(layers, "/etc/group", FILE_BYTES_MAX) ?? "").split("\n").map((line) => line.split(":"));
  const asked = context.runAsUser === undefined ? name || "0" : String(context.runAsUser);
  const line = lines.find((each) => each.name === asked) ?? lines.find((each) => String(each.uid) === asked);
  const uid = line?.uid ?? numberOf(asked);
  if (uid === undefined) throw new ContainerConfigError(`unable to find user ${asked}: no matching entries in passwd file`);
  if (context.runAsNonRoot === true && context.runAsUser === undefined && numberOf(asked) === undefined)
    throw new ContainerConfigError(
      `container has runAsNonRoot and image has non-numeric user (${asked}), cannot verify user is non-root (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`,
    );
  if (context.runAsNonRoot === true && uid === 0) {
    const why = context.runAsUser === 0 ? "container's runAsUser breaks non-root policy" : "container has runAsNonRoot and image will run as root";
    throw new ContainerConfigError(`${why} (pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})", container: ${container.name})`);
  }
  const named =
    group === "" || context.runAsUser !== undefined ? undefined : (numberOf(group) ?? numberOf(groups.find((each) => each[0] === group)?.[2] ?? ""));
  if (named === undefined && group !== "" && context.runAsUser === undefined)
    throw new ContainerConfigError(`unable to find group ${group}: no matching entries in group file`);
  const own =
    line === undefined ? [] : groups.filter((each) => (each[3] ?? "").split(",").includes(line.name)).flatMap((each) => numberOf(each[2] ?? "") ?? []);
  const more = [
    ...(pod.spec.securityContext?.supplementalGroups ?? []),
    ...(pod.spec.securityContext?.fsGroup === undefined ? [] : [pod.spec.securityContext.fsGroup]),
  ];
  return { uid, gid: context.runAsGroup ?? named ?? line?.gid ?? 0, groups: [...new Set([...own, ...more])], home: line?.home ?? "/" };
}

function passwdLine(text: string): Line[] {
  const [name = "", , uid = "", gid = "", , home = ""] = text.split(":");
  return numberOf(uid) === undefined || name === "" ? [] : [{ name, uid: Number(uid), gid: numberOf(gid) ?? 0, home: home === "" ? "/" : home }];
}

function numberOf(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
