// eider up, down, status: the platform itself.
import { resolve } from "node:path";
import type { Command } from "commander";
import { parseDurationMs } from "#core";
import { parseQuantity } from "#schema";
import type { CliContext, UpOptions } from "../context.ts";
import { CliError } from "../exit.ts";
import { defaultDataDir, findDataDir, type Where } from "../find-platform.ts";
import { parsePlainFormat, structured } from "../output.ts";

interface UpFlags {
  readonly data?: string;
  readonly apiPort?: string;
  readonly httpPort?: string;
  readonly internalPort?: string;
  readonly registryPort?: string;
  readonly registry: boolean;
  readonly registryAuth: string;
  readonly host: string;
  readonly domain: string;
  readonly externalPort?: string;
  readonly detach?: true;
  readonly output?: string;
  readonly orphanGrace: string;
  readonly diskBudget?: string;
  readonly containerHost: string;
  readonly takeOver?: true;
}

export function addPlatformCommands(program: Command, context: CliContext): void {
  program
    .command("up")
    .summary("start the platform")
    .description(
      "Starts the platform and keeps running until Ctrl-C; with --detach it goes on in the background.\nA second start on the same data folder finds everything as it was left.\nWhere a platform of another version runs, this one takes over from it: no connection is refused, no request is lost.",
    )
    .option("--data <dir>", "data folder (default: $XDG_DATA_HOME/eider)")
    .option("--api-port <port>", "port of the Kubernetes API, 0 for any free one (default: 6443, or a free one)")
    .option("--http-port <port>", "port of the gateway, 0 for any free one (default: 8080, or a free one)")
    .option(
      "--internal-port <port>",
      "port of the gateway for requests from this machine to cluster-local names, 0 for any free one (default: 8012, or a free one)",
    )
    .option("--registry-port <port>", "port of the image registry, 0 for any free one (default: 5000, or a free one)")
    .option("--no-registry", "serve no registry")
    .option(
      "--registry-auth <kind>",
      "none: everybody on this machine; basic or token: user eider, password in the data folder's pki/registry-password",
      "none",
    )
    .option("--host <address>", "address to listen on; anything but loopback is open to the network", "127.0.0.1")
    .option("--domain <name>", "domain of the Services' URLs", "localhost")
    .option("--external-port <port>", "port in the URLs when a proxy stands in front")
    .option("--detach", "return once the platform is ready")
    .option("--orphan-grace <duration>", "how long pods outlive a platform that does not come up again", "60s")
    .option("--disk-budget <size>", "what the data folder may take of the disk, for instance 20Gi (default: as much as there is)")
    .option(
      "--container-host <address>",
      "where Docker or Podman listens: unix:///PATH, tcp://HOST:PORT, off, or auto: $DOCKER_HOST, else the usual sockets",
      "auto",
    )
    .option("--take-over", "take over from the platform that runs, also from one of the same version; its ports and settings stay")
    .option("-o, --output <format>", "json: one line when ready")
    .action(async (flags: UpFlags) => {
      const state = await context.up(upOptionsOf(flags, context));
      context.out(`${JSON.stringify(state)}\n`);
    });
  withDataDir(program.command("down").summary("end the platform and its pods"))
    .option("--purge", "remove the data folder, too")
    .action(async (flags: WhereFlags & { readonly purge?: true }) => {
      const format = parsePlainFormat(flags.output);
      const data = findDataDir(flags, context);
      const purge = flags.purge === true;
      const ended = await context.down(data, { purge });
      if (format !== undefined) return context.out(structured(format, { data, ended, purged: purge }));
      context.out(ended ? `The platform on ${data} has ended.\n` : `No platform runs on ${data}.\n`);
      if (purge) context.out(`Removed ${data}.\n`);
    });
  withDataDir(program.command("status").summary("tell whether the platform runs, and where")).action(async (flags: WhereFlags) => {
    const format = parsePlainFormat(flags.output);
    const data = findDataDir(flags, context);
    const state = await context.status(data);
    if (state === undefined) throw new CliError("unreachable", `no platform runs on ${data}`, { hint: `eider up --data ${data} --detach` });
    context.out(format !== undefined ? structured(format, state) : context.describe(state));
  });
}

interface WhereFlags extends Where {
  readonly output?: string;
}

function withDataDir(command: Command): Command {
  return command
    .option("--kubeconfig <file>", "kubeconfig in the platform's data folder")
    .option("--data <dir>", "data folder (default: that of $KUBECONFIG, else $XDG_DATA_HOME/eider)")
    .option("-o, --output <format>", "json or yaml");
}

function outputOf(text: string | undefined): "text" | "json" {
  if (text === undefined || text === "json") return text ?? "text";
  throw new CliError("usage", `unknown output format ${JSON.stringify(text)}`, { hint: "use -o json" });
}

function portOf(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new CliError("usage", `invalid value ${JSON.stringify(text)} for ${flag}: a port is 0 to 65535`);
  return port;
}

function daemonOf(text: string): string {
  if (text === "auto" || text === "off" || /^(unix:\/\/\/|tcp:\/\/)./.test(text)) return text;
  throw new CliError("usage", `invalid address ${JSON.stringify(text)} for --container-host`, {
    hint: "write it as unix:///PATH or tcp://HOST:PORT, or say auto or off",
  });
}

function upOptionsOf(flags: UpFlags, context: CliContext): UpOptions {
  return {
    data: resolve(flags.data ?? defaultDataDir(context)),
    apiPort: portOf(flags.apiPort, "--api-port"),
    httpPort: portOf(flags.httpPort, "--http-port"),
    internalPort: portOf(flags.internalPort, "--internal-port"),
    registryPort: flags.registry ? portOf(flags.registryPort, "--registry-port") : "none",
    registryAuth: authOf(flags.registryAuth),
    host: flags.host,
    domain: flags.domain,
    externalPort: portOf(flags.externalPort, "--external-port"),
    detach: flags.detach === true,
    format: outputOf(flags.output),
    orphanGraceMs: durationOf(flags.orphanGrace),
    diskBudget: flags.diskBudget === undefined ? undefined : bytesOf(flags.diskBudget),
    containerHost: daemonOf(flags.containerHost),
    takeOver: flags.takeOver === true,
  };
}

function authOf(text: string): "none" | "basic" | "token" {
  if (text === "none" || text === "basic" || text === "token") return text;
  throw new CliError("usage", `unknown kind ${JSON.stringify(text)} of authentication`, { hint: "use --registry-auth none, basic or token" });
}

function bytesOf(text: string): number {
  const bytes = Number((parseQuantity(text)?.nano ?? 0n) / 1_000_000_000n);
  if (bytes <= 0) throw new CliError("usage", `invalid size ${JSON.stringify(text)} for --disk-budget`, { hint: "write it as 20Gi or 500M" });
  return bytes;
}

function durationOf(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined || ms < 0) throw new CliError("usage", `invalid duration ${JSON.stringify(text)}`, { hint: "write it as 60s or 1m30s" });
  return ms;
}
