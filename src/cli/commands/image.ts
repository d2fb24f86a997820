// eider image: what the platform's store holds, and what goes.
import type { Command } from "commander";
import { parseDurationMs } from "#core";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { findDataDir, type Where } from "../find-platform.ts";
import { parsePlainFormat, structured, table } from "../output.ts";

interface Flags extends Where {
  readonly output?: string;
}

/** Of a digest, as Docker shows it. */
const SHORT = 19;

export function addImageCommands(program: Command, context: CliContext): void {
  const image = program.command("image").alias("images").summary("images: what was built, pushed and pulled");
  withData(image.command("list").alias("ls").summary("list the images of the platform's store")).action(async (flags: Flags) => {
    const format = parsePlainFormat(flags.output);
    const images = await context.images(findDataDir(flags, context)).list();
    if (format !== undefined) return context.out(structured(format, images));
    context.out(
      table(
        ["NAME", "DIGEST", "SIZE", "FROM"],
        images.map(({ name, digest, size, pulled }) => [name, digest.slice(0, SHORT), sizeText(size), pulled ? "pulled" : "here"]),
      ),
    );
  });
  withData(image.command("remove").alias("rm").summary("remove images by name").argument("<name...>", "names of images")).action(
    async (names: readonly string[], flags: Flags) => {
      const format = parsePlainFormat(flags.output);
      const images = context.images(findDataDir(flags, context));
      for (const name of names) {
        await images.remove(name);
        if (format === undefined) context.out(`Removed ${name}.\n`);
      }
      if (format !== undefined) context.out(structured(format, { removed: names }));
    },
  );
  withData(image.command("prune").summary("free the space of what no tag, Service or pod needs"))
    .description(
      "Removes the files of images that nothing needs: no tag, no Revision, no Deployment, no pod.\nWhat was written or asked for within the last hour stays, since somebody may just push it; --grace 0s takes that, too.",
    )
    .option("--all", "also pulled images that nothing needs; they are pulled again when something does")
    .option("--grace <duration>", "what is younger stays", "1h")
    .action(async (flags: Flags & { readonly all?: true; readonly grace: string }) => {
      const format = parsePlainFormat(flags.output);
      const graceMs = parseDurationMs(flags.grace);
      if (graceMs === undefined || graceMs < 0)
        throw new CliError("usage", `invalid duration ${JSON.stringify(flags.grace)}`, { hint: "write it as 1h or 10m" });
      const pruned = await context.images(findDataDir(flags, context)).prune({ all: flags.all === true, graceMs });
      if (format !== undefined) return context.out(structured(format, pruned));
      context.out(`Removed ${pruned.blobs} blobs, ${sizeText(pruned.bytes)}.\n`);
      if (pruned.freshBytes > 0) context.out(`${sizeText(pruned.freshBytes)} more are needed by nothing, but too young.\n`);
    });
}

function withData(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig in the platform's data folder")
    .option("--data <dir>", "data folder (default: that of $KUBECONFIG, else $XDG_DATA_HOME/eider)")
    .option("-o, --output <format>", "json or yaml");
}

/** `12.3MB`, as Docker has it. */
export function sizeText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit === 0 ? value : value.toPrecision(3)}${units[unit]}`;
}
