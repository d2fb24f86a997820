// eider build and eider deploy: from a source folder to an image, and on to a URL.
import { basename, resolve } from "node:path";
import type { Command } from "commander";
import { isReason } from "#core";
import { Service } from "#kinds";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { findDataDir } from "../find-platform.ts";
import { parsePlainFormat, structured } from "../output.ts";
import { newService, withFlags } from "../service-spec.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";
import { finish, readFinishFlags } from "./service-finish.ts";

const BASE_HELP = 'what the image stands on: "bundled" (Node and its libraries of this machine) or an image; without it, the runtime supplies Node or Python';

const DOCKERFILE_HELP = "built by the daemon of Docker or Podman; also what a folder is built from that has a Dockerfile and nothing else that is known";

interface BuildFlags {
  readonly base?: string;
  readonly dockerfile?: string;
}

function howOf({ base, dockerfile }: BuildFlags): BuildFlags {
  if (base !== undefined && dockerfile !== undefined) throw new CliError("usage", "a Dockerfile names its base itself: give --base or --dockerfile");
  return { ...(base === undefined ? {} : { base }), ...(dockerfile === undefined ? {} : { dockerfile }) };
}

export function addBuildCommands(program: Command, context: CliContext): void {
  program
    .command("build")
    .summary("build a source folder into an image")
    .description(
      "Builds a folder into an image in the platform's store: Node or TypeScript (package.json), Go (go.mod), Python (requirements.txt, main.py), or any command (Procfile).",
    )
    .argument("<dir>", "source folder")
    .requiredOption("--image <name>", "name of the image")
    .option("--base <image>", BASE_HELP)
    .option("--dockerfile <file>", DOCKERFILE_HELP)
    .option("--data <dir>", "data folder of the platform (default: that of $KUBECONFIG, else $XDG_DATA_HOME/eider)")
    .option("-o, --output <format>", "json or yaml")
    .action(async (dir: string, flags: BuildFlags & { readonly image: string; readonly data?: string; readonly output?: string }) => {
      const format = parsePlainFormat(flags.output);
      const built = await context.build({
        dir: resolve(dir),
        image: flags.image,
        data: findDataDir(flags, context),
        ...howOf(flags),
        onProgress: (line) => context.err(`${line}\n`),
      });
      context.out(format !== undefined ? structured(format, built) : `Built ${built.image}\n${built.digest}\n`);
    });
  withConnection(
    program
      .command("deploy")
      .summary("build a source folder and serve it")
      .description("Builds a folder and makes a Service of it, or updates the one that is there; waits until it is ready.")
      .argument("<dir>", "source folder")
      .argument("[name]", "name of the Service (default: the folder's name)"),
  )
    .option("--base <image>", BASE_HELP)
    .option("--dockerfile <file>", DOCKERFILE_HELP)
    .option("--no-wait", "do not wait until it is ready")
    .option("--wait-timeout <seconds>", "how long to wait", "600")
    .option("-o, --output <format>", "json, yaml or name")
    .action(
      async (
        dir: string,
        name: string | undefined,
        flags: ConnectOptions & BuildFlags & { readonly wait: boolean; readonly waitTimeout: string; readonly output?: string },
      ) => {
        readFinishFlags(flags);
        const service = name ?? serviceName(dir);
        const image = `dev.local/${service}:latest`;
        const built = await context.build({
          dir: resolve(dir),
          image,
          data: findDataDir(flags, context),
          ...howOf(flags),
          onProgress: (line) => context.err(`${line}\n`),
        });
        await connected(context, flags, async ({ client }, namespace) => {
          const pinned = `dev.local/${service}@${built.digest}`;
          const existing = await client.find(Service, namespace, service);
          const wanted = withFlags(existing ?? newService(namespace, service), { image: pinned }, undefined);
          if (flags.output === undefined)
            context.out(`${existing === undefined ? "Creating service" : "Updating Service"} '${service}' in namespace '${namespace}':\n\n`);
          const written = await (existing === undefined ? client.create(Service, wanted) : client.update(Service, wanted)).catch((error: unknown) => {
            throw isReason(error, "Conflict")
              ? new CliError("exists", `service '${service}' was changed by somebody else meanwhile`, { hint: `eider deploy ${dir} ${service}`, cause: error })
              : error;
          });
          await finish({ context, client, service: written, before: existing, verb: existing === undefined ? "created" : "updated", flags });
        });
      },
    );
}

/** The folder's name as a DNS label. */
function serviceName(dir: string): string {
  const name = basename(resolve(dir))
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, "-")
    .replaceAll(/^[^a-z]+|-+$/g, "");
  if (name === "") throw new CliError("usage", `no Service name can be made of ${JSON.stringify(dir)}`, { hint: `eider deploy ${dir} NAME` });
  return name;
}
