// eider event: events and the expressions that choose among them.
import type { Command } from "commander";
import { compileExpression, type Evaluation } from "#cesql";
import type { CliContext } from "../context.ts";
import { evaluationText } from "../evaluation-text.ts";
import { parseEventFile, SAMPLE_ATTRIBUTES, type EventAttributes } from "../event-file.ts";
import { CliError } from "../exit.ts";
import { addEventHistoryCommands } from "./event-history.ts";
import { addEventSendCommand } from "./event-send.ts";
import { parsePlainFormat, structured } from "../output.ts";

interface EvalFlags {
  readonly event?: string;
  readonly output?: string;
}

const EVAL_HELP = `
The language (CloudEvents SQL 1.0, the filter dialect "cesql" of Triggers):
  attributes   id, source, type, subject, time, any extension; never the data
  values       'text' or "text", integers of 32 bits, TRUE, FALSE
  operators    = != <> < <= > >=   + - * / %   AND OR XOR NOT
               x LIKE 'a%_'   x IN ('a', 'b')   EXISTS x   (and NOT LIKE, NOT IN)
  functions    LENGTH CONCAT CONCAT_WS LOWER UPPER TRIM LEFT RIGHT SUBSTRING
               ABS INT BOOL STRING IS_INT IS_BOOL
AND, OR and XOR bind alike and are taken from left to right: use parentheses.

Every expression has a value. What went wrong first stands beside it, as one of
parse, math, cast, missingAttribute, missingFunction, functionEvaluation; a
filter lets an event pass only on TRUE without an error. The exit code is 0.

Examples:
  eider event eval "type LIKE 'com.example.%' AND EXISTS subject" --event event.json
  echo '{"type":"order.made","amount":120}' | eider event eval "amount > 100" --event -
  eider event eval "LENGTH('abc') * 2" -o json        {"value":6,"error":null}`;

export function addEventCommands(program: Command, context: CliContext): void {
  const event = program.command("event").summary("events: what has happened to them, sending and replaying them, and the expressions that choose among them");
  addEventHistoryCommands(event, context);
  addEventSendCommand(event, context);
  event
    .command("eval")
    .summary("what an expression makes of an event")
    .description("Evaluates an expression of CloudEvents SQL against one event, as a Trigger would.")
    .argument("<expression>", "in quotes, as one word")
    .option("--event <file>", "an event in the JSON format of CloudEvents (or YAML), - for standard input; without it a sample with the required attributes")
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", EVAL_HELP)
    .action((expression: string, flags: EvalFlags) => evaluate(expression, flags, context));
}

async function evaluate(expression: string, flags: EvalFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  const attributes = flags.event === undefined ? SAMPLE_ATTRIBUTES : await attributesIn(flags.event, context);
  const compiled = compileExpression(expression);
  const parseFault = "fault" in compiled ? compiled.fault : undefined;
  const evaluation: Evaluation =
    "fault" in compiled ? { value: false, fault: { kind: "parse", message: compiled.fault.message } } : compiled.evaluate(attributes);
  if (format !== undefined) return context.out(structured(format, { value: evaluation.value, error: evaluation.fault?.kind ?? null }));
  context.out(evaluationText(expression, evaluation, parseFault?.at));
}

async function attributesIn(file: string, context: CliContext): Promise<EventAttributes> {
  const shown = file === "-" ? "standard input" : file;
  const read = parseEventFile(await textOf(file, shown, context));
  if ("error" in read)
    throw new CliError("usage", `${shown}: ${read.error}`, { hint: `write it like {"specversion":"1.0","id":"1","source":"/x","type":"t"}` });
  if (read.filled.length > 0) context.err(`Note: the event has no ${read.filled.join(", ")}; a sample's stand in.\n`);
  return read.attributes;
}

async function textOf(file: string, shown: string, context: CliContext): Promise<string> {
  try {
    return await context.readText(file);
  } catch (cause) {
    throw new CliError("notFound", `${shown} cannot be read: ${(cause as Error).message}`, { cause });
  }
}
