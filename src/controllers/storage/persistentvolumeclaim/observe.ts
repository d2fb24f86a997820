// Reads a claim, its class, the volumes that it may get, and the pods that use it.
import type { Informer } from "#client";
import { hasEnded, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass, storageClassOf } from "#kinds";
import type { ShellWorld } from "#reconcile";
import type { ObjectKey } from "#schema";

export interface ObservedClaim {
  readonly claim: PersistentVolumeClaim;
  /** The one that it names; undefined when it names none, or none that is there. */
  readonly storageClass: StorageClass | undefined;
  /** The one that it names. */
  readonly volume: PersistentVolume | undefined;
  /** Those that name it. */
  readonly reserved: readonly PersistentVolume[];
  /** Those that no claim has; read only for a claim that names no volume. */
  readonly free: readonly PersistentVolume[];
  /** Pods that use it and are not over. */
  readonly usedBy: readonly string[];
  readonly nowMs: { readonly monotonic: number };
  /** Where the folder for it would be, and on which node. */
  readonly place: { readonly root: string; readonly nodeName: string };
}

/** Names of volumes, and whether no claim has them. */
export type FreeVolumes = Pick<Informer<{ readonly name: string; readonly free: boolean }>, "list">;

/** Free volumes that one pass looks at. */
const FREE_MAX = 500;

export async function observeClaim(
  { namespace, name }: ObjectKey,
  world: ShellWorld,
  { volumes, place }: { readonly volumes: FreeVolumes; readonly place: ObservedClaim["place"] },
): Promise<ObservedClaim | undefined> {
  const { client, nowMs } = world;
  const claim = await client.find(PersistentVolumeClaim, namespace, name);
  if (claim === undefined) return undefined;
  const className = storageClassOf(claim) ?? "";
  const { volumeName = "" } = claim.spec;
  const names = volumeName === "" ? volumes.list().filter(({ free }) => free) : [];
  const free = await Promise.all(names.slice(0, FREE_MAX).map((row) => client.find(PersistentVolume, "", row.name)));
  return {
    claim,
    storageClass: className === "" ? undefined : await client.find(StorageClass, "", className),
    volume: volumeName === "" ? undefined : await client.find(PersistentVolume, "", volumeName),
    reserved: await world.watched(PersistentVolume),
    free: free.filter((volume) => volume !== undefined && volume.spec.claimRef === undefined) as PersistentVolume[],
    usedBy: (await world.watched(Pod)).filter((pod) => !hasEnded(pod)).map(({ metadata }) => metadata.name),
    nowMs,
    place,
  };
}
