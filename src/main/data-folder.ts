// The data folder: what lies where, and who may read it (decision 12).
import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";

export interface DataFolder {
  readonly root: string;
  readonly kubeconfig: string;
  /** Only the owner may enter these. */
  readonly pki: string;
  readonly store: string;
  readonly run: string;
  readonly log: string;
  /** The log of events; made with the first Broker. */
  readonly events: string;
  /** Readable by the pods' users. */
  readonly images: string;
  /** What pods keep for good; made with the first claim of storage. */
  readonly claims: string;
}

export function dataFolder(root: string): DataFolder {
  const below = (name: string): string => join(root, name);
  return {
    root,
    kubeconfig: below("kubeconfig"),
    pki: below("pki"),
    store: below("store"),
    run: below("run"),
    log: below("log"),
    events: below("events"),
    images: below("images"),
    claims: below("claims"),
  };
}

/** Makes what is missing. The root lets pods' users pass through to their own folders, no more. Throws when it cannot be used. */
export function prepareDataFolder(root: string): DataFolder {
  try {
    return prepare(dataFolder(root));
  } catch (cause) {
    throw new Error(`the data folder ${root} cannot be used: ${(cause as Error).message}`, { cause });
  }
}

function prepare(folder: DataFolder): DataFolder {
  const { root } = folder;
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o711);
  for (const closed of [folder.pki, folder.store, folder.run, folder.log]) {
    mkdirSync(closed, { recursive: true });
    chmodSync(closed, 0o700);
  }
  return folder;
}
