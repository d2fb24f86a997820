// How host processes see the cluster's names: programs of the machine that take a start into a mount namespace of ours.
import { execFile } from "node:child_process";
import type { Logger } from "#core";
import { findProgram } from "../sandbox/host-programs.ts";
import { ResolvNamespaces } from "./resolv-namespaces.ts";

export interface NamesView {
  /** File for `nsenter --mount`. */
  readonly namespace: string;
  readonly nsenter: string;
  readonly env: string;
  /** `nsenter` sets the working folder, by `--wdns` (util-linux 2.38): one program less. */
  readonly setsFolder: boolean;
}

export interface NamesViews {
  /** With this text as /etc/resolv.conf; undefined where that cannot be had. */
  withText(text: string): Promise<NamesView | undefined>;
  close(): void;
}

/** Throws for machines that lack a program. */
export async function namesViews({ dir, path, logger }: { readonly dir: string; readonly path: string; readonly logger: Logger }): Promise<NamesViews> {
  const program = (name: string): string => {
    const found = findProgram(path, name);
    if (found === undefined) throw new Error(`the machine has no program \`${name}\``);
    return found;
  };
  const nsenter = program("nsenter");
  const env = program("env");
  const namespaces = new ResolvNamespaces({ dir, nsenter, unshare: program("unshare"), sh: program("sh"), logger });
  const setsFolder = (await helpOf(nsenter)).includes("--wdns");
  return {
    async withText(text) {
      const namespace = await namespaces.withText(text);
      return namespace === undefined ? undefined : { namespace, nsenter, env, setsFolder };
    },
    close: () => namespaces.close(),
  };
}

function helpOf(program: string): Promise<string> {
  return new Promise((resolve) => execFile(program, ["--help"], { env: {} }, (_error, stdout) => resolve(stdout)));
}
