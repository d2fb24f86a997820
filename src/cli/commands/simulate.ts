// eider simulate scale: recorded traffic against other settings.
import type { Command } from "commander";
import { parseScaleFile, replay, replayDifferences, SIMULATED_KEYS, simulate, simulatedSettings, type ScaleFile } from "#autoscaler";
import type { CliContext } from "../context.ts";
import { CliError } from "../exit.ts";
import { parsePlainFormat, structured } from "../output.ts";
import { simulationText } from "../simulation-text.ts";
import { collect } from "./shared.ts";

interface SimulateFlags {
  readonly set?: readonly string[];
  readonly output?: string;
}

/** Differences that an error names. */
const SHOWN_MAX = 3;

export function addSimulateCommands(program: Command, context: CliContext): void {
  const simulation = program.command("simulate").summary("what would have happened");
  simulation
    .command("scale")
    .summary("recorded traffic against other settings")
    .description(
      `Replays a file of \`eider explain scale --record\`, and shows beside it what other settings would have come to.\nSettings: ${SIMULATED_KEYS.join(", ")}.`,
    )
    .argument("<file>", "a recording")
    .option("--set <key=value>", "another setting; may be given several times", collect)
    .option("-o, --output <format>", "json or yaml")
    .action((file: string, flags: SimulateFlags) => simulateScale(file, flags, context));
}

async function simulateScale(file: string, flags: SimulateFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  const sets = (flags.set ?? []).map(overrideOf);
  const recording = parseScaleFile(await read(file, context));
  if ("error" in recording) throw new CliError("usage", `${file}: ${recording.error}`, { hint: "eider explain scale NAME --record FILE" });
  const decisions = verified(recording, file);
  const settings = simulatedSettings(recording.source, sets);
  if ("error" in settings) throw new CliError("usage", settings.error);
  const { containerConcurrency } = recording.source;
  const simulation = simulate(recording, { containerConcurrency, settings: sets.length === 0 ? undefined : settings });
  const { revision } = recording;
  if (format !== undefined) return context.out(structured(format, { revision, decisions, settings: Object.fromEntries(sets), ...simulation }));
  context.out(simulationText(simulation, { revision, decisions, settings: sets.map(([key, value]) => `${key}=${value}`) }));
}

function overrideOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  if (at <= 0) throw new CliError("usage", `invalid value ${JSON.stringify(text)} for --set`, { hint: "write it as --set target=50" });
  return [text.slice(0, at), text.slice(at + 1)];
}

async function read(file: string, context: CliContext): Promise<string> {
  try {
    return await context.readText(file);
  } catch (cause) {
    throw new CliError("notFound", `${file} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** The number of decisions, each of which came out as recorded; anything else is a damaged file, or another version of the autoscaler. */
function verified(recording: ScaleFile, file: string): number {
  const differences = replayDifferences(recording);
  if (differences.length > 0) {
    const more = differences.length > SHOWN_MAX ? `\nand ${differences.length - SHOWN_MAX} more` : "";
    throw new CliError("failed", `${file} does not come out as it was recorded:\n${differences.slice(0, SHOWN_MAX).join("\n")}${more}`, {
      hint: "record it again: the file was changed, or comes from another version",
    });
  }
  return [...replay(recording)].filter(({ evaluation }) => evaluation !== undefined).length;
}
