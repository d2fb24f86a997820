// Reads a volume and the claim that it names.
import { PersistentVolume, PersistentVolumeClaim } from "#kinds";
import type { World } from "#reconcile";
import type { ObjectKey } from "#schema";

export interface ObservedVolume {
  readonly volume: PersistentVolume;
  /** The claim of that name, perhaps a later one. */
  readonly claim: PersistentVolumeClaim | undefined;
}

export async function observeVolume({ name }: ObjectKey, { client }: World): Promise<ObservedVolume | undefined> {
  const volume = await client.find(PersistentVolume, "", name);
  if (volume === undefined) return undefined;
  const { namespace = "", name: claimName } = volume.spec.claimRef ?? {};
  return { volume, claim: claimName === undefined ? undefined : await client.find(PersistentVolumeClaim, namespace, claimName) };
}
