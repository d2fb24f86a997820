// The volumes of one pod: folders of the machine that its containers see, made before the first start and gone with the pod.
//
//   volumes/<pod uid>/<volume>     a folder, or the files of ConfigMaps, Secrets, fields and tokens
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import type { Client } from "#client";
import type { Clock } from "#core";
import { ConfigMap, Secret, ServiceAccount, type CoreContainer, type Pod, type Volume, type VolumeMount } from "#kinds";
import { parseQuantity, quantityNumber } from "#schema";
import type { Mount, PodPlace } from "../../engine.ts";
import type { NodeResources } from "../pod-fields.ts";
import { writeFiles } from "./atomic-files.ts";
import { claimedFolder, type SoleUsers } from "./claim-volume.ts";
import { hostPath } from "./host-path.ts";
import { memoryFolder, removeMemoryFolders } from "./memory-folder.ts";
import { PodTokens, type MintToken } from "./pod-tokens.ts";
import { subPathIn } from "./sub-path.ts";
import { mountsToken, TOKEN_PATH, TOKEN_VOLUME, wantsToken } from "./token-volume.ts";
import type { LimitedVolume } from "./volume-scanner.ts";
import { configMapValues, downwardFiles, keyFiles, secretValues, UnboundError, VolumeError, type VolumeFiles } from "./volume-files.ts";

export interface VolumeTools {
  readonly mintToken: MintToken;
  readonly client: Client;
  readonly clock: Clock;
  /** Of all pods. */
  readonly volumesDir: string;
  readonly node: NodeResources;
  /** Of all pods. */
  readonly soleUsers: SoleUsers;
}

/** Kinds whose objects' changes reach mounted files. */
export type FollowedKind = "ConfigMap" | "Secret" | "PersistentVolumeClaim";

interface Prepared {
  readonly path: string;
  /** Programs may write, and parts that are not there are made. */
  readonly writable: boolean;
}

const DEFAULT_MODE = 0o644;
/** New files in the folder get its group. */
const SET_GROUP = 0o2000;
const GROUP_MAY_ALL = 0o070;

type Projection = NonNullable<NonNullable<Volume["projected"]>["sources"]>[number];

export class PodVolumes {
  readonly #tools: VolumeTools;
  readonly #folder: string;
  readonly #prepared = new Map<string, Promise<Prepared>>();
  readonly #limited: LimitedVolume[] = [];
  /** Files follow each other: a later look at an object is not overtaken by an earlier one. */
  #last: Promise<unknown> = Promise.resolve();
  #stamps = 0;
  readonly #tokens: PodTokens;
  #hasToken = false;
  #pod: Pod;
  #place: PodPlace | undefined;

  constructor(tools: VolumeTools, pod: Pod) {
    this.#tools = tools;
    this.#tokens = new PodTokens(tools);
    this.#pod = pod;
    this.#folder = join(tools.volumesDir, pod.metadata.uid);
  }

  /** Makes all volumes of the pod that are not made yet. Throws VolumeError as the kubelet's Event FailedMount says it. */
  async prepare(pod: Pod, place: PodPlace): Promise<void> {
    this.#pod = pod;
    this.#place = place;
    if (!this.#hasToken) this.#hasToken = wantsToken(pod, await this.#account());
    for (const volume of this.#volumes) {
      await this.#prepare(volume).catch((error: unknown) => {
        throw new VolumeError(mountFailure(volume.name, error as Error));
      });
    }
  }

  async #account(): Promise<ServiceAccount | undefined> {
    const { namespace = "" } = this.#pod.metadata;
    return this.#tools.client.find(ServiceAccount, namespace, this.#pod.spec.serviceAccountName ?? "default");
  }

  get #volumes(): readonly Volume[] {
    return [...(this.#pod.spec.volumes ?? []), ...(this.#hasToken ? [TOKEN_VOLUME] : [])];
  }

  /** What a container sees of them, once they are prepared; `expand` puts variables into `subPathExpr`. Throws VolumeError. */
  async mountsOf(spec: CoreContainer, expand: (text: string) => string): Promise<readonly Mount[]> {
    const mounts: Mount[] = [];
    const unasked = this.#hasToken && mountsToken(spec) ? [{ name: TOKEN_VOLUME.name, mountPath: TOKEN_PATH }] : [];
    for (const { name, mountPath, subPath = "", subPathExpr = "", readOnly = false } of [...(spec.volumeMounts ?? []), ...unasked] as readonly VolumeMount[]) {
      const prepared = await this.#prepared.get(name);
      if (prepared === undefined) throw new VolumeError(`there is no volume ${JSON.stringify(name)}`);
      const part = subPathExpr === "" ? subPath : expand(subPathExpr);
      const path = part === "" ? prepared.path : partOf(prepared, part, { volume: name, container: spec.name });
      mounts.push({ source: { path }, target: mountPath, readOnly: readOnly || !prepared.writable });
    }
    return mounts;
  }

  /** The pod's own fields may have changed. */
  async update(pod: Pod): Promise<void> {
    const { labels, annotations } = this.#pod.metadata;
    this.#pod = pod;
    if (isDeepStrictEqual([labels, annotations], [pod.metadata.labels, pod.metadata.annotations])) return;
    await this.#rewrite((projection) => projection.downwardAPI !== undefined);
  }

  /** An object of the pod's namespace changed. What is missing now stays as it was mounted. */
  async follow(kind: FollowedKind, name: string): Promise<void> {
    if (kind === "PersistentVolumeClaim") return;
    await this.#rewrite((projection) => (kind === "ConfigMap" ? projection.configMap?.name === name : projection.secret?.name === name));
  }

  /** When `renewTokens` is to be called next, wall time. */
  get tokensDueMs(): number {
    return this.#tokens.dueMs;
  }

  async renewTokens(): Promise<void> {
    await this.#rewrite((projection) => projection.serviceAccountToken !== undefined);
  }

  /** Names of the objects whose changes count. */
  get followed(): readonly { readonly kind: FollowedKind; readonly name: string }[] {
    const volumes = this.#pod.spec.volumes ?? [];
    const claims = volumes.flatMap(({ persistentVolumeClaim: claim }) => (claim === undefined ? [] : [claim.claimName]));
    const mounted = volumes
      .flatMap((volume) => projectionsOf(volume))
      .flatMap(({ configMap, secret }) => [
        ...(configMap?.name === undefined ? [] : [{ kind: "ConfigMap" as const, name: configMap.name }]),
        ...(secret?.name === undefined ? [] : [{ kind: "Secret" as const, name: secret.name }]),
      ]);
    return [...mounted, ...claims.map((name) => ({ kind: "PersistentVolumeClaim" as const, name }))];
  }

  /** Those with a limit that are made. */
  get limited(): readonly LimitedVolume[] {
    return this.#limited;
  }

  async remove(): Promise<void> {
    const { soleUsers } = this.#tools;
    for (const [claim, uid] of soleUsers) if (uid === this.#pod.metadata.uid) soleUsers.delete(claim);
    await removeMemoryFolders(this.#folder, memoryName(this.#pod.metadata.uid, ""));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #rewrite(concerns: (projection: Projection) => boolean): Promise<void> {
    const changed = this.#volumes.filter((volume) => this.#prepared.has(volume.name) && projectionsOf(volume).some(concerns));
    for (const volume of changed) await this.#inTurn(() => this.#write(volume)).catch(() => undefined);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#last.then(work, work);
    this.#last = next.catch(() => undefined);
    return next;
  }

  #prepare(volume: Volume): Promise<Prepared> {
    const known = this.#prepared.get(volume.name);
    if (known !== undefined) return known;
    const fresh = this.#make(volume);
    this.#prepared.set(volume.name, fresh);
    fresh.catch(() => this.#prepared.delete(volume.name));
    return fresh;
  }

  async #make(volume: Volume): Promise<Prepared> {
    const path = join(this.#folder, volume.name);
    mkdirSync(this.#folder, { recursive: true, mode: 0o711 });
    if (volume.emptyDir !== undefined) return { path: await this.#emptyDir(path, volume), writable: true };
    if (volume.hostPath !== undefined) return { path: hostPath(volume.hostPath), writable: true };
    if (volume.persistentVolumeClaim !== undefined) return this.#claim(volume.persistentVolumeClaim);
    if (projectionsOf(volume).length === 0 && volume.projected === undefined && volume.downwardAPI === undefined)
      throw new VolumeError(`this platform has no volumes of the type ${Object.keys(volume).find((key) => key !== "name") ?? "unknown"}`);
    await this.#inTurn(() => this.#write(volume));
    return { path, writable: false };
  }

  async #emptyDir(path: string, { name, emptyDir }: Volume): Promise<string> {
    const limit = parseQuantity(emptyDir?.sizeLimit ?? "");
    const bytesMax = limit === undefined ? undefined : quantityNumber(limit);
    const inMemory = emptyDir?.medium === "Memory";
    const folder = inMemory ? await memoryFolder(path, { name: memoryName(this.#pod.metadata.uid, name), bytesMax }) : path;
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o777);
    this.#giveTo(folder);
    if (bytesMax !== undefined && bytesMax > 0) this.#limited.push({ name, path: folder, bytesMax, limit: String(emptyDir?.sizeLimit) });
    return folder;
  }

  async #claim({ claimName, readOnly = false }: NonNullable<Volume["persistentVolumeClaim"]>): Promise<Prepared> {
    const folder = await claimedFolder(this.#tools, this.#pod, claimName);
    const writable = !readOnly && !folder.readOnly;
    if (writable && !folder.isHostPath) this.#giveTo(folder.path);
    return { path: folder.path, writable };
  }

  /** Files that programs make in it belong to the pod's group, where it has one. */
  #giveTo(folder: string): void {
    const group = this.#group;
    if (group === undefined || process.getuid?.() !== 0) return;
    const { gid, mode } = statSync(folder);
    if (gid === group && (mode & SET_GROUP) !== 0) return;
    chownSync(folder, -1, group);
    chmodSync(folder, (mode & 0o7777) | SET_GROUP | GROUP_MAY_ALL);
  }

  get #group(): number | undefined {
    return this.#pod.spec.securityContext?.fsGroup;
  }

  async #write(volume: Volume): Promise<void> {
    const files = new Map<string, { bytes: Uint8Array; mode: number }>();
    for (const projection of projectionsOf(volume)) {
      for (const [path, file] of await this.#filesOf(projection, defaultModeOf(volume))) files.set(path, file);
    }
    const stamp = `${new Date(this.#tools.clock.wallMs()).toISOString().slice(0, 19).replaceAll(/[-:T]/g, "_")}.${String(++this.#stamps).padStart(9, "0")}`;
    writeFiles(join(this.#folder, volume.name), files, { stamp, group: this.#group });
  }

  async #filesOf({ configMap, secret, downwardAPI, serviceAccountToken, ...other }: Projection, defaultMode: number | undefined): Promise<VolumeFiles> {
    const { client, node } = this.#tools;
    const { namespace = "" } = this.#pod.metadata;
    if (configMap !== undefined) {
      const { name = "" } = configMap;
      const found = await client.find(ConfigMap, namespace, name);
      return keyFiles("configmap", { name, values: found && configMapValues(found), source: configMap, defaultMode });
    }
    if (secret !== undefined) {
      const { name = "" } = secret;
      const found = await client.find(Secret, namespace, name);
      return keyFiles("secret", { name, values: found && secretValues(found), source: secret, defaultMode });
    }
    if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items ?? [], { pod: this.#pod, place: this.#place, node }, defaultMode);
    if (serviceAccountToken !== undefined) {
      const token = await this.#tokens.of(this.#pod, serviceAccountToken);
      return new Map([[serviceAccountToken.path, { bytes: Buffer.from(token), mode: defaultMode ?? DEFAULT_MODE }]]);
    }
    throw new VolumeError(`this platform does not project ${Object.keys(other)[0] ?? "nothing"}`);
  }
}

/** The kubelet's words. */
function mountFailure(name: string, error: Error): string {
  if (!(error instanceof UnboundError)) return `MountVolume.SetUp failed for volume ${JSON.stringify(name)} : ${error.message}`;
  return `Unable to attach or mount volumes: unmounted volumes=[${name}], unattached volumes=[], failed to process volumes=[${name}]: ${error.message}`;
}

function partOf(prepared: Prepared, part: string, { volume, container }: { readonly volume: string; readonly container: string }): string {
  try {
    return subPathIn(prepared.path, part, { mayMake: prepared.writable });
  } catch (error) {
    throw new VolumeError(
      `failed to prepare subPath for volumeMount ${JSON.stringify(volume)} of container ${JSON.stringify(container)}: ${(error as Error).message}`,
    );
  }
}

/** A volume of one source is a projection of it. */
function projectionsOf({ configMap, secret, downwardAPI, projected }: Volume): readonly Projection[] {
  if (projected !== undefined) return projected.sources ?? [];
  if (configMap !== undefined) return [{ configMap }];
  if (secret !== undefined) {
    const { secretName, items, optional } = secret;
    return [
      { secret: { ...(secretName === undefined ? {} : { name: secretName }), ...(items && { items }), ...(optional === undefined ? {} : { optional }) } },
    ];
  }
  return downwardAPI === undefined ? [] : [{ downwardAPI }];
}

function defaultModeOf({ configMap, secret, downwardAPI, projected }: Volume): number | undefined {
  return (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode;
}

function memoryName(podUid: string, volume: string): string {
  return `eider-${podUid}-${volume}`;
}

/** Removes what pods of an earlier platform left. */
export async function sweepVolumes(volumesDir: string, isKept: (podUid: string) => boolean): Promise<void> {
  mkdirSync(volumesDir, { recursive: true, mode: 0o711 });
  for (const uid of readdirSync(volumesDir).filter((name) => !isKept(name))) {
    await removeMemoryFolders(join(volumesDir, uid), memoryName(uid, ""));
    rmSync(join(volumesDir, uid), { recursive: true, force: true });
  }
}
