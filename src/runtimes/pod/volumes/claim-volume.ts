// A claim of storage in a pod: the folder of the volume that it is bound to, or the kubelet's words for why there is none.
import { statSync } from "node:fs";
import type { Client } from "#client";
import { hasEnded, PersistentVolume, PersistentVolumeClaim, Pod, type PersistentVolumeSpec } from "#kinds";
import { hostPath } from "./host-path.ts";
import { UnboundError, VolumeError } from "./volume-files.ts";

/** Throws UnboundError while the claim has no volume. */
async function volumeOf(client: Client, { namespace, name }: { readonly namespace: string; readonly name: string }): Promise<PersistentVolume> {
  const unbound = (why: string): UnboundError => new UnboundError(`error processing PVC ${namespace}/${name}: ${why}`);
  const claim = await client.find(PersistentVolumeClaim, namespace, name);
  if (claim === undefined) throw unbound(`failed to fetch PVC from API server: persistentvolumeclaims ${JSON.stringify(name)} not found`);
  // Who holds it already keeps it; a new pod does not get it.
  if (claim.metadata.deletionTimestamp !== undefined) throw unbound("PVC is being deleted");
  const { volumeName = "" } = claim.spec;
  if (claim.status?.phase !== "Bound" || volumeName === "") throw unbound("PVC is not bound");
  const volume = await client.find(PersistentVolume, "", volumeName);
  if (volume === undefined) throw unbound(`failed to fetch PV ${volumeName} from API server: persistentvolumes ${JSON.stringify(volumeName)} not found`);
  const { claimRef } = volume.spec;
  if (claimRef === undefined) throw unbound(`found PV object ${volumeName} but it has a nil pv.Spec.ClaimRef indicating it is not yet bound to the claim`);
  if (claimRef.uid !== claim.metadata.uid) {
    throw unbound(`found PV object ${volumeName} but its pv.Spec.ClaimRef.UID ${claimRef.uid ?? ""} does not point to claim.UID ${claim.metadata.uid}`);
  }
  return volume;
}

/** Throws VolumeError. */
function pathOf({ local, hostPath: host, ...other }: PersistentVolumeSpec): string {
  if (host !== undefined) return hostPath(host);
  if (local === undefined) {
    const type = Object.entries(other).find(([name, value]) => typeof value === "object" && !NO_SOURCE.has(name))?.[0] ?? "unknown";
    throw new VolumeError(`this platform cannot mount volumes of the type ${type}`);
  }
  const stats = statSync(local.path, { throwIfNoEntry: false });
  if (stats === undefined) throw new VolumeError(`path ${JSON.stringify(local.path)} does not exist`);
  if (!stats.isDirectory()) throw new VolumeError("only directory and block device are supported");
  return local.path;
}

/** Members of a volume's spec that are objects and do not say where it is. */
const NO_SOURCE: ReadonlySet<string> = new Set(["capacity", "accessModes", "claimRef", "mountOptions", "nodeAffinity"]);

export interface ClaimedFolder {
  readonly path: string;
  /** What its volume lets its users do. */
  readonly readOnly: boolean;
  /** A folder of the machine that has its own owners, and keeps them. */
  readonly isHostPath: boolean;
}

/** Which pod has a volume that is for one, by `<namespace>/<claim>`: until its volumes are removed, which is after its containers have ended. */
export type SoleUsers = Map<string, string>;

/** Its containers may write to what it mounts, or have. */
function hasStarted({ status }: Pod): boolean {
  const all = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  return all.some(({ state, lastState }) => (state?.running ?? state?.terminated ?? lastState?.terminated) !== undefined);
}

/** When it got its node; to the second. */
function assignedAt({ metadata, status }: Pod): string {
  const scheduled = status?.conditions?.find(({ type }) => type === "PodScheduled");
  return scheduled?.lastTransitionTime ?? metadata.creationTimestamp ?? "";
}

/**
 * One may, of the pods that have a node and have not ended. Who has the volume keeps it, however its containers fare, and also while it ends
 * without an object; after a restart of the platform it is who has started, then who was first.
 */
async function mayUseAlone({ client, soleUsers }: ClaimTools, pod: Pod, claimName: string): Promise<boolean> {
  const { namespace = "", uid } = pod.metadata;
  const key = `${namespace}/${claimName}`;
  const { items } = await client.list(Pod, { namespace });
  const known = soleUsers.get(key);
  if (known !== undefined && known !== uid && !items.some((other) => other.metadata.uid === known && hasEnded(other))) return false;
  const users = items.filter(
    (other) =>
      (other.spec.nodeName ?? "") !== "" && !hasEnded(other) && other.spec.volumes?.some((volume) => volume.persistentVolumeClaim?.claimName === claimName),
  );
  const placeOf = (user: Pod): string => `${hasStarted(user) ? "has" : "waits"} ${assignedAt(user)} ${user.metadata.name}`;
  const [first = pod] = users.toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
  if (known !== uid && first.metadata.uid !== uid) return false;
  soleUsers.set(key, uid);
  return true;
}

export interface ClaimTools {
  readonly client: Client;
  readonly soleUsers: SoleUsers;
}

/** Throws UnboundError while it has no volume, VolumeError when the volume cannot be used. */
export async function claimedFolder(tools: ClaimTools, pod: Pod, claimName: string): Promise<ClaimedFolder> {
  const { spec } = await volumeOf(tools.client, { namespace: pod.metadata.namespace ?? "", name: claimName });
  if (spec.volumeMode === "Block") throw new VolumeError("volumes of the mode Block cannot be mounted as folders");
  const modes = spec.accessModes ?? [];
  if (modes.includes("ReadWriteOncePod") && !(await mayUseAlone(tools, pod, claimName)))
    throw new VolumeError("volume uses the ReadWriteOncePod access mode and is already in use by another pod");
  return { path: pathOf(spec), readOnly: modes.length > 0 && modes.every((mode) => mode === "ReadOnlyMany"), isHostPath: spec.hostPath !== undefined };
}
