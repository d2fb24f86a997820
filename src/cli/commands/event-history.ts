// eider event list, show, watch, replay and resume: what has happened to events, and doing it again.
import type { Command } from "commander";
import type { EventList, EventPath, ReplayLine, Resumed, WatchLine } from "#protocol";
import type { CliContext, Connection } from "../context.ts";
import { choiceQuery, eventQuery, type EventFilterFlags } from "../event-query.ts";
import { parseSink, sinkUrl, SINK_WORDS } from "../event-sinks.ts";
import { listText, paintFor, pathText, replayText, watchText } from "../event-text.ts";
import { CliError } from "../exit.ts";
import { parsePlainFormat, structured } from "../output.ts";
import { connected, withConnection, type ConnectOptions } from "./shared.ts";

const ROOT = "/debug/eider/events";

interface QueryFlags extends ConnectOptions, EventFilterFlags {
  readonly allNamespaces?: true;
  readonly output?: string;
}

interface ListFlags extends QueryFlags {
  readonly limit: string;
  readonly continue?: string;
}

interface ReplayFlags extends QueryFlags {
  readonly to: string;
  readonly ignoreFilter?: true;
}

const LIST_HELP = `
PLACE is where the event lies in the log: "@4711" names it wherever an id can
stand. SUBSCRIBERS counts the Triggers and Subscriptions by how the event stands:
  delivered        the subscriber has accepted it
  dead letter      the dead letter sink has
  given up         nobody has, and there is no dead letter sink
  parked           the dead letter sink has not: eider event resume tries again
  waiting          for its next attempt
  missed           the filter, as it is now, does not let it pass
  unrecorded       done with, without an attempt on record: the subscriber or its
                   filter is newer than the event

Examples:
  eider event list --since 10m
  eider event list --broker default --type com.example.order --limit 5
  eider event list --id 42 -o json`;

const SHOW_HELP = `
Prints the path as a tree: the event that came in, below it each subscriber with
every attempt (status, milliseconds, what followed), below an attempt the event
that was answered with, and so on. A reply is shown within the path it belongs to.

Examples:
  eider event show 42
  eider event show 42 --source /orders --broker default
  eider event show @4711 -o yaml`;

const WATCH_HELP = `
Ends with Ctrl-C. "in" is an event that came, "out" an attempt to deliver one.

Examples:
  eider event watch
  eider event watch --type com.example.order -o json | jq .attempt.status`;

const REPLAY_HELP = `
Sends events of the log once more, the oldest first, one after the other, each in
one attempt, with the header "eider-replay". Name events (ids or @PLACE), or a
range by --since, --until and the other filters.

--to trigger:NAME (or subscription:NAME) sends what its filter lets pass, and takes
its answers as replies. All other sinks get the events as they are:
  ${SINK_WORDS}
Who replayed what stands in the platform's log (audit "events.replay"), and each
attempt in the event's own path.

Examples:
  eider event replay 42 --to trigger:orders
  eider event replay --since 2h --until 1h --type com.example.order --to ksvc:audit
  eider event replay @4711 --to http://localhost:8080/`;

const RESUME_HELP = `
An event is parked when neither the subscriber nor the dead letter sink has taken
it. It is kept until somebody resumes it: the subscriber is asked once more.

Examples:
  eider event resume trigger:orders
  eider event resume trigger:orders @4711`;

function withFilters(command: Command): Command {
  return withConnection(command)
    .option("-A, --all-namespaces", "of all namespaces")
    .option("--broker <name>", "that came to this Broker")
    .option("--channel <name>", "that came to this Channel")
    .option("--type <type>", "of exactly this type")
    .option("--source <source>", "of exactly this source")
    .option("--subject <subject>", "of exactly this subject");
}

const withTimes = (command: Command): Command =>
  command.option("--since <time>", "that came since then: 10m ago, or a time (RFC 3339)").option("--until <time>", "that came before then");

export function addEventHistoryCommands(event: Command, context: CliContext): void {
  withTimes(withFilters(event.command("list").summary("events that came, the newest first").description("Lists events of the log, the newest first.")))
    .option("--id <id>", "of exactly this id")
    .option("--limit <count>", "at most so many, up to 500", "50")
    .option("--continue <place>", "go on where an earlier list ended")
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", LIST_HELP)
    .action((flags: ListFlags) => list(flags, context));
  withFilters(
    event
      .command("show")
      .summary("the whole path of one event")
      .description("Shows one event with all that came of it.")
      .argument("<id>", "its id, the newest of that id; or @PLACE"),
  )
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", SHOW_HELP)
    .action((id: string, flags: QueryFlags) => show(id, flags, context));
  withFilters(event.command("watch").summary("events and deliveries as they happen").description("Prints what happens to events from now on."))
    .option("--id <id>", "of exactly this id")
    .option("-o, --output <format>", "json: one document a line")
    .addHelpText("after", WATCH_HELP)
    .action((flags: QueryFlags) => watch(flags, context));
  withTimes(
    withFilters(
      event
        .command("replay")
        .summary("send events of the log once more")
        .description("Sends events of the log once more.")
        .argument("[ids...]", "ids, or @PLACE"),
    ),
  )
    .requiredOption("--to <sink>", "trigger:NAME, subscription:NAME, or any sink")
    .option("--ignore-filter", "also what the subscriber's filter does not let pass")
    .option("-o, --output <format>", "json: one document a line")
    .addHelpText("after", REPLAY_HELP)
    .action((ids: readonly string[], flags: ReplayFlags) => replay(ids, flags, context));
  withConnection(
    event
      .command("resume")
      .summary("try parked events again")
      .description("Tries events again that are parked, or wait.")
      .argument("<subscriber>", "trigger:NAME or subscription:NAME")
      .argument("[place]", "only the event at @PLACE, also when it waits for its next attempt"),
  )
    .option("-o, --output <format>", "json or yaml")
    .addHelpText("after", RESUME_HELP)
    .action((subscriber: string, place: string | undefined, flags: QueryFlags) => resume(subscriber, place, flags, context));
}

const pathOf = (below: string, query: Readonly<Record<string, string>>): string => `${ROOT}${below}?${new URLSearchParams(query).toString()}`;

const scopeOf = (flags: QueryFlags, namespace: string): string | undefined => (flags.allNamespaces === true ? undefined : namespace);

async function list(flags: ListFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  await connected(context, flags, async (connection, namespace) => {
    const page = { limit: flags.limit, ...(flags.continue === undefined ? {} : { continue: flags.continue.replace(/^@/, "") }) };
    const query = eventQuery(flags, scopeOf(flags, namespace), context.clock.wallMs());
    const found = await document<EventList>(connection, pathOf("", { ...query, ...page }), context);
    if (format !== undefined) return context.out(structured(format, found));
    context.out(listText(found, context.clock.wallMs(), flags.allNamespaces === true));
    if (found.continue !== undefined) context.err(`More: --continue @${found.continue}\n`);
  });
}

async function show(id: string, flags: QueryFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  await connected(context, flags, async (connection, namespace) => {
    const choice = choiceQuery(id);
    const query = "offset" in choice ? choice : { ...eventQuery(flags, scopeOf(flags, namespace), context.clock.wallMs()), ...choice };
    const found = await document<EventPath>(connection, pathOf("/show", query), context);
    context.out(format === undefined ? pathText(found, paintFor(context.outColour === true)) : structured(format, found));
  });
}

async function watch(flags: QueryFlags, context: CliContext): Promise<void> {
  const isJson = isJsonLines(flags.output);
  await connected(context, flags, async (connection, namespace) => {
    const query = eventQuery(flags, scopeOf(flags, namespace), context.clock.wallMs());
    for await (const line of lines<WatchLine>(connection.openText(pathOf("/watch", query), context.signal)))
      context.out(isJson ? `${JSON.stringify(line)}\n` : watchText(line, paintFor(context.outColour === true)));
  });
  context.signal.throwIfAborted();
}

async function replay(ids: readonly string[], flags: ReplayFlags, context: CliContext): Promise<void> {
  const isJson = isJsonLines(flags.output);
  if (ids.length === 0 && flags.since === undefined)
    throw new CliError("usage", "which events are meant has to be said: their ids, or a range by --since", { hint: "eider event list" });
  await connected(context, flags, async (connection, namespace) => {
    const query = eventQuery(flags, scopeOf(flags, namespace), context.clock.wallMs());
    const events = ids.length === 0 ? { query } : { offsets: await offsetsOf(ids, query, connection, context) };
    const sink = parseSink(flags.to, namespace);
    const isSubscriber = "prefix" in sink && (sink.prefix === "trigger" || sink.prefix === "subscription");
    const to = isSubscriber ? { subscriber: `${sink.namespace}/${sink.name}` } : { url: await sinkUrl(sink, connection.client, { outside: false }) };
    const wish = JSON.stringify({ ...events, ...to, ignoreFilter: flags.ignoreFilter === true });
    let failed = 0;
    for await (const line of lines<ReplayLine>(connection.openText(`${ROOT}/replay`, context.signal, wish))) {
      if (line.type === "done") failed = line.failed;
      context.out(isJson ? `${JSON.stringify(line)}\n` : replayText(line, paintFor(context.outColour === true)));
    }
    if (failed > 0) throw new CliError("failed", `${failed} of the events were not accepted`, { hint: "eider event show @PLACE tells why" });
  });
}

async function offsetsOf(words: readonly string[], query: Readonly<Record<string, string>>, connection: Connection, context: CliContext): Promise<number[]> {
  const offsets: number[] = [];
  for (const word of words) {
    const choice = choiceQuery(word);
    if ("offset" in choice) offsets.push(Number(choice.offset));
    else {
      const { items } = await document<EventList>(connection, pathOf("", { ...query, ...choice, limit: "1" }), context);
      const [newest] = items;
      if (newest === undefined) throw new CliError("notFound", `the log has no event with id ${JSON.stringify(word)} that fits`, { hint: "eider event list" });
      offsets.push(newest.offset);
    }
  }
  return offsets;
}

async function resume(word: string, place: string | undefined, flags: QueryFlags, context: CliContext): Promise<void> {
  const format = parsePlainFormat(flags.output);
  if (place !== undefined && !/^@\d+$/.test(place))
    throw new CliError("usage", `${JSON.stringify(place)} is no place`, { hint: "eider event list shows places, such as @4711" });
  await connected(context, flags, async (connection, namespace) => {
    const sink = parseSink(word.includes(":") ? word : `trigger:${word}`, namespace);
    if (!("prefix" in sink) || (sink.prefix !== "trigger" && sink.prefix !== "subscription"))
      throw new CliError("usage", `${JSON.stringify(word)} is no subscriber`, { hint: "trigger:NAME or subscription:NAME" });
    const wish = { subscriber: `${sink.namespace}/${sink.name}`, ...(place === undefined ? {} : { offset: Number(place.slice(1)) }) };
    const done = await document<Resumed>(connection, `${ROOT}/resume`, context, JSON.stringify(wish));
    if (format !== undefined) return context.out(structured(format, done));
    context.out(done.resumed.length === 0 ? "Nothing is parked.\n" : `Tried again: ${done.resumed.map((offset) => `@${offset}`).join(" ")}\n`);
  });
}

/** Lines of documents have one form. */
function isJsonLines(output: string | undefined): boolean {
  if (output === undefined || output === "json") return output === "json";
  throw new CliError("usage", `unknown output format ${JSON.stringify(output)}`, { hint: "use -o json" });
}

async function document<T>(connection: Connection, path: string, context: CliContext, body?: string): Promise<T> {
  let text = "";
  for await (const part of connection.openText(path, context.signal, body)) text += part;
  return JSON.parse(text) as T;
}

/** The last line may say what went wrong. */
async function* lines<T>(texts: AsyncIterable<string>): AsyncGenerator<T> {
  let rest = "";
  for await (const text of texts) {
    const whole = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    for (const line of whole) {
      const read = JSON.parse(line) as { readonly type: string; readonly message?: string };
      if (read.type === "error") throw new CliError("failed", read.message ?? "the answer broke off");
      yield read as T;
    }
  }
}
