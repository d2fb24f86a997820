// cli: the commands and their output.
export type { CliContext, Connection, ControllersOptions, ImageCommands, PlatformState, UpOptions } from "./context.ts";
export { CliError } from "./exit.ts";
export { defaultDataDir } from "./find-platform.ts";
export { runCli } from "./program.ts";
