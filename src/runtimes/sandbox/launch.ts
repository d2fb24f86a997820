// From a container's start and its image to what runs where: command, variables, working folder. Pure but for looking into the image.
import { posix } from "node:path";
import type { ContainerStart } from "../engine.ts";
import type { ContainerUser } from "./image-user.ts";
import { findIn, type Layers } from "./layered-tree.ts";
import type { ImageConfig } from "#images";

export interface Launch {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const PATH_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

export interface LaunchInput {
  readonly start: ContainerStart;
  readonly config: ImageConfig;
  readonly user: ContainerUser | undefined;
  /** Where programs are looked for first: those that the host gives to images that were built from a folder. */
  readonly hostPath: string | undefined;
  /** Instead of the container's own command, word for word. */
  readonly argv?: readonly string[];
}

/** Throws an Error when there is no command. */
export function launchFor({ start: { container, pod, env }, config, user, hostPath, argv }: LaunchInput): Launch {
  const { Entrypoint, Cmd, Env, WorkingDir } = config.config ?? {};
  const words = [...(container.command ?? Entrypoint ?? []), ...(container.args ?? (container.command === undefined ? (Cmd ?? []) : []))];
  const given = Object.fromEntries((Env ?? []).map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)]));
  const all: Record<string, string> = {
    PATH: hostPath === undefined ? PATH_DEFAULT : `${hostPath}:${PATH_DEFAULT}`,
    HOME: user?.home ?? "/root",
    HOSTNAME: pod.metadata.name,
    ...given,
    ...env,
  };
  const expanded = words.map((word) =>
    word.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (whole, name?: string) => (name === undefined ? "$" : (all[name] ?? whole))),
  );
  const chosen = argv ?? expanded;
  if (chosen.length === 0 || chosen[0] === "") throw new Error("no command specified");
  return { argv: chosen, env: all, cwd: posix.join("/", container.workingDir ?? (WorkingDir === undefined || WorkingDir === "" ? "/" : WorkingDir)) };
}

/** In the words of the container runtimes; undefined when there is such a program. */
export function programComplaint({ argv, env, cwd }: Launch, layers: Layers): string | undefined {
  const [program = ""] = argv;
  const places = program.includes("/") ? [posix.resolve(cwd, program)] : (env["PATH"] ?? "").split(":").map((folder) => posix.resolve(cwd, folder, program));
  const found = places.map((place) => statOf(layers, place)).filter((stat) => stat !== undefined);
  if (found.length === 0)
    return `exec: ${JSON.stringify(program)}: ${program.includes("/") ? `stat ${program}: no such file or directory` : "executable file not found in $PATH"}`;
  return found.some((stat) => stat.isFile() && (stat.mode & 0o111) !== 0) ? undefined : `exec: ${JSON.stringify(program)}: permission denied`;
}

function statOf(layers: Layers, path: string) {
  try {
    return findIn(layers, path).stat;
  } catch {
    return undefined;
  }
}
