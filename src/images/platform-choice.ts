// Which image of an index this machine runs. Pure.
import type { Descriptor, ImageIndex } from "./oci.ts";

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** Go's and OCI's names for Node's. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386" };

export function platformOf(machine: { readonly platform: string; readonly arch: string }): Platform {
  const architecture = ARCHITECTURES[machine.arch] ?? machine.arch;
  return { os: machine.platform === "win32" ? "windows" : machine.platform, architecture, ...(architecture === "arm64" ? { variant: "v8" } : {}) };
}

/**
 * The first entry for the platform: with its variant before one without. An entry that says no platform is taken when no entry says one;
 * attestations, which say `unknown`, never are. On a machine that is not Linux, what is for Linux comes second: containers run there in one.
 */
export function choiceOf(index: ImageIndex, platform: Platform): Descriptor | undefined {
  const { manifests } = index;
  const fits = (os: string, wanted: (variant: string | undefined) => boolean): Descriptor | undefined =>
    manifests.find((entry) => entry.platform?.os === os && entry.platform.architecture === platform.architecture && wanted(entry.platform.variant));
  for (const os of [platform.os, "linux"]) {
    const found =
      fits(os, (variant) => variant === platform.variant) ??
      fits(os, (variant) => variant === undefined) ??
      (platform.variant === undefined ? fits(os, () => true) : undefined);
    if (found !== undefined) return found;
  }
  return manifests.every((entry) => entry.platform === undefined) ? manifests[0] : undefined;
}
