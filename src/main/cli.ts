// Entry file of the command line: joins the commands with the machine.
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { CliError, runCli } from "#cli";
import { systemClock } from "#host";
import { ImageError, openImageStore } from "#images";
import { buildWithTools } from "./build-tools.ts";
import { imageCommands } from "./cli-images.ts";
import { connect } from "./connect.ts";
import { dataFolder, prepareDataFolder } from "./data-folder.ts";
import { diskUsage } from "./disk-usage.ts";
import { becomeControllers, becomeKeeper, endPlatform, startDetached, stateOf, takeOver } from "./launch.ts";
import { postEvent } from "./post-event.ts";
import { readyText } from "./ready-text.ts";
import { VERSION } from "./version.ts";

const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());
process.once("SIGTERM", () => interrupted.abort());
// A reader that has seen enough (`eider logs | head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCli({
  argv: process.argv.slice(2),
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  colour: process.stderr.isTTY && process.env["NO_COLOR"] === undefined,
  outColour: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
  env: process.env,
  home: homedir(),
  clock: systemClock,
  version: VERSION,
  signal: interrupted.signal,
  exists: existsSync,
  readText: (path) => (path === "-" ? textOf(process.stdin) : readFile(path, "utf8")),
  writeText: (path, text) => writeFile(path, text),
  newId: () => randomUUID(),
  post: postEvent,
  connect: (kubeconfig) => connect(kubeconfig, VERSION),
  describe: readyText,
  up: async (options) => (await takeOver(options, interrupted.signal)) ?? (options.detach ? startDetached(options, interrupted.signal) : becomeKeeper(options)),
  controllers: (options) => becomeControllers(options),
  async status(data) {
    const state = await stateOf(data, interrupted.signal);
    return state === undefined ? undefined : { ...state, disk: { ...(await diskUsage(data)) } };
  },
  down: (data, options) => endPlatform(data, options, interrupted.signal),
  images: (data) => imageCommands(data, (kubeconfig) => connect(kubeconfig, VERSION)),
  async build({ dir, image, data, onProgress, ...how }) {
    prepareDataFolder(data);
    try {
      const store = await openImageStore(join(dataFolder(data).images));
      const built = await buildWithTools({ dir, name: image, store, progress: onProgress, ...how }, interrupted.signal);
      return { image, digest: built.digest };
    } catch (error) {
      throw error instanceof ImageError ? new CliError("buildFailed", error.message, { cause: error }) : error;
    }
  },
});
