// From a container's spec and its image to what the keeper is asked to start.
import { existsSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join, sep } from "node:path";
import type { UnpackedImage } from "#images";
import type { CoreContainer, Pod } from "#kinds";
import type { ProcessSpec } from "#protocol";

export interface LaunchInput {
  readonly id: string;
  readonly pod: Pod;
  readonly container: CoreContainer;
  readonly image: UnpackedImage;
  /** Resolved `env` and `envFrom`, `PORT` included. */
  readonly env: Readonly<Record<string, string>>;
  readonly home: string;
  readonly tmp: string;
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly nodePath: string;
  readonly path: string;
  readonly outputFile: string;
  readonly outputBytesMax: number;
  /** Runs instead of the container's own command, word for word. */
  readonly argv?: readonly string[];
}

const PATH_DEFAULT = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Where pods find programs of the host: as the platform does, but for relative folders and what npm put there for itself. */
export function searchPath(path: string): string {
  const kept = path.split(delimiter).filter((folder) => isAbsolute(folder) && !folder.split(sep).includes("node_modules"));
  return kept.length === 0 ? PATH_DEFAULT : kept.join(delimiter);
}

/** Of the platform's environment only `path` gets through. Throws an Error when there is no command. */
export function launchSpec(input: LaunchInput): ProcessSpec {
  const { container, image, env, nodePath } = input;
  const isNode = /^node\d+$/.test(image.base);
  const { Entrypoint = [], Cmd = [], Env = [], WorkingDir } = image.config.config;
  const words = [...(container.command ?? Entrypoint), ...(container.args ?? (container.command === undefined ? Cmd : []))];
  const all: Record<string, string> = {
    PATH: isNode ? `${dirname(nodePath)}:${input.path}` : input.path,
    HOME: input.home,
    TMPDIR: input.tmp,
    HOSTNAME: input.pod.metadata.name,
    ...Object.fromEntries(Env.map((line) => [line.split("=")[0] ?? "", line.slice(line.indexOf("=") + 1)])),
    ...env,
  };
  const expanded = words.map((word) =>
    word.replace(/\$\$|\$\(([-._a-zA-Z][-._a-zA-Z0-9]*)\)/g, (whole, name?: string) => (name === undefined ? "$" : (all[name] ?? whole))),
  );
  const [program, ...args] = input.argv ?? expanded;
  if (program === undefined) throw new Error("no command specified");
  return {
    id: input.id,
    argv: [isNode && program === "node" ? nodePath : insideOrHost(image.root, program), ...args],
    env: all,
    cwd: insideOrHost(image.root, container.workingDir ?? WorkingDir ?? "/workspace"),
    ...(input.user === undefined ? {} : { user: input.user }),
    outputFile: input.outputFile,
    outputBytesMax: input.outputBytesMax,
  };
}

/** A host process sees the host's root: absolute paths of the image are looked for in its folder first. */
function insideOrHost(root: string, path: string): string {
  if (!isAbsolute(path)) return path;
  const inside = join(root, path);
  return existsSync(inside) ? inside : path;
}
