// The command tree, and running one command line.
import { Command, CommanderError } from "commander";
import { addBuildCommands } from "./commands/build.ts";
import { addControllersCommand } from "./commands/controllers.ts";
import { addEventCommands } from "./commands/event.ts";
import { addExplainCommands } from "./commands/explain.ts";
import { addImageCommands } from "./commands/image.ts";
import { addListCommands } from "./commands/lists.ts";
import { addLogCommand } from "./commands/logs.ts";
import { addPlatformCommands } from "./commands/platform.ts";
import { addServiceReadCommands } from "./commands/service-read.ts";
import { addSimulateCommands } from "./commands/simulate.ts";
import { addServiceWriteCommands } from "./commands/service.ts";
import type { CliContext } from "./context.ts";
import { EXIT, toCliError, type CliError } from "./exit.ts";
import { withExpressionLast } from "./expression-words.ts";

/** Runs one command line (without the program's name) and answers its exit code; never throws. */
export async function runCli(context: CliContext): Promise<number> {
  const program = buildProgram(context);
  try {
    await program.parseAsync([...withExpressionLast(context.argv)], { from: "user" });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (context.signal.aborted) return EXIT.interrupted;
    return report(toCliError(error), context);
  }
}

function report(error: CliError, context: CliContext): number {
  if (wantsJson(context.argv)) {
    context.err(`${JSON.stringify({ error: { code: error.exit, message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) } })}\n`);
  } else {
    const label = context.colour ? "\u001B[31mError:\u001B[0m" : "Error:";
    context.err(`${label} ${error.message}\n${error.hint === undefined ? "" : `Try: ${error.hint}\n`}`);
  }
  return EXIT[error.exit];
}

function wantsJson(argv: readonly string[]): boolean {
  return argv.some((word, index) => word === "-ojson" || word === "--output=json" || ((word === "-o" || word === "--output") && argv[index + 1] === "json"));
}

function buildProgram(context: CliContext): Command {
  const program = new Command("eider")
    .description("Serverless on your own terms: from an image or a source folder to a URL that scales with its requests, from and to zero.")
    .version(context.version)
    .configureOutput({ writeOut: context.out, writeErr: context.err })
    .showHelpAfterError("Run with --help for usage.")
    .exitOverride();
  program.addHelpText(
    "after",
    "\nFirst steps:\n  eider up --detach                 start the platform\n  eider deploy ./my-app             build a folder and serve it\n  eider service list                see where it is\n  eider down                        end it all\n\nkubectl and kn work, too: export KUBECONFIG=<data>/kubeconfig",
  );
  addPlatformCommands(program, context);
  addBuildCommands(program, context);
  addImageCommands(program, context);
  const service = program.command("service").alias("ksvc").summary("Services: what is served, and how");
  addServiceWriteCommands(service, context);
  addServiceReadCommands(service, context);
  addListCommands(program, context);
  addLogCommand(program, context);
  addEventCommands(program, context);
  addExplainCommands(program, context);
  addSimulateCommands(program, context);
  addControllersCommand(program, context);
  for (const command of everyCommand(program)) command.exitOverride().configureOutput({ writeOut: context.out, writeErr: context.err });
  return program;
}

function everyCommand(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...everyCommand(child)]);
}
