// eider event send: one event, made from flags in kn's words.
import type { Command } from "commander";
import type { CliContext } from "../context.ts";
import { draftOf, messageOf, type DraftFlags } from "../event-draft.ts";
import { parseSink, sinkUrl } from "../event-sinks.ts";
import { CliError } from "../exit.ts";
import { parsePlainFormat, structured } from "../output.ts";
import { collect, connected, withConnection, type ConnectOptions } from "./shared.ts";

interface SendFlags extends ConnectOptions, DraftFlags {
  readonly to?: string;
  readonly toUrl?: string;
  readonly broker?: string;
  readonly output?: string;
}

const HELP = `
Without --to, --to-url or --broker it goes to the Broker "default" of the namespace.
--field makes a JSON object: a.b=1 is {"a":{"b":1}}; numbers, true, false and null
are themselves, all else is a text; --raw-field makes texts of everything.

Examples:
  eider event send --type com.example.order --field amount=120 --field by.name=Ada
  eider event send --broker orders --id 42 --raw-data '<order/>' --content-type application/xml
  eider event send --to ksvc:hello --type ping
  eider event send --to-url http://localhost:8080 -t ping -o json`;

export function addEventSendCommand(event: Command, context: CliContext): void {
  withConnection(event.command("send").summary("send an event").description("Sends one event, and says whether it was taken."))
    .option("-r, --to <sink>", "broker:NAME, ksvc:NAME or a URL")
    .option("--to-url <url>", "a URL")
    .option("--broker <name>", "a Broker")
    .option("-t, --type <type>", "default: dev.knative.cli.plugin.event.generic")
    .option("-s, --source <source>", "default: eider-event/VERSION")
    .option("-i, --id <id>", "default: a new one")
    .option("--subject <subject>", "what the event is about")
    .option("-a, --attribute <name=value>", "any other attribute (again for more)", collect)
    .option("-f, --field <path=value>", "a value of the data (again for more)", collect)
    .option("--raw-field <path=text>", "a text of the data (again for more)", collect)
    .option("--raw-data <text>", "the data as they are")
    .option("--content-type <type>", "of the data; default: application/json")
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", HELP)
    .action((flags: SendFlags) => send(flags, context));
}

async function send(flags: SendFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  const draft = draftOf(flags, { id: context.newId(), source: `eider-event/${context.version}` });
  const url = await urlOf(flags, context);
  const { status, body } = await context.post(url, messageOf(draft), context.signal);
  const { id = "" } = draft.attributes;
  if (status < 200 || status >= 300) {
    const said = body.trim() === "" ? "" : `: ${body.trim().slice(0, 500)}`;
    throw new CliError("failed", `${url} has not taken event ${JSON.stringify(id)}: it answered ${status}${said}`);
  }
  if (format !== undefined) return context.out(structured(format, { url, status, attributes: { specversion: "1.0", ...draft.attributes } }));
  context.out(`Event '${id}' was taken by ${url} (${status}).\n`);
}

async function urlOf(flags: SendFlags, context: CliContext): Promise<string> {
  const said = [flags.to, flags.toUrl, flags.broker === undefined ? undefined : `broker:${flags.broker}`].filter((one) => one !== undefined);
  if (said.length > 1) throw new CliError("usage", "--to, --to-url and --broker exclude one another");
  const [word = "broker:default"] = said;
  const direct = parseSink(word, "");
  if ("url" in direct) return direct.url;
  return connected(context, flags, ({ client }, namespace) => sinkUrl(parseSink(word, namespace), client, { outside: true }));
}
