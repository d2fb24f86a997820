// How people read what has happened to events: a table of many, the whole path of one as a tree. Pure.
import type { AttemptDocument, EventList, EventPath, EventStanding, EventStory, LoggedEvent, ReplayLine, WatchLine } from "#protocol";
import { humanDuration } from "#schema";
import { table } from "./output.ts";

type Delivery = EventStory["deliveries"][number];

/** On a terminal; else all of them give the text as it is. */
export interface Paint {
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly faint: (text: string) => string;
}

const plain = (text: string): string => text;
const colour =
  (code: number) =>
  (text: string): string =>
    `\u001B[${code}m${text}\u001B[0m`;
export const paintFor = (isTerminal: boolean): Paint =>
  isTerminal ? { good: colour(32), bad: colour(31), faint: colour(2) } : { good: plain, bad: plain, faint: plain };

const CELL_MAX = 48;
const DATA_CHARACTERS_MAX = 400;

const WORDS: Readonly<Record<EventStanding, string>> = {
  delivered: "delivered",
  deadLettered: "dead letter",
  gaveUp: "given up",
  parked: "parked",
  waiting: "waiting",
  inFlight: "on its way",
  ahead: "not yet reached",
  replayed: "replayed",
  unrecorded: "unrecorded",
  missed: "missed",
};

const attribute = (event: LoggedEvent, name: string): string => visible(String(event.attributes[name] ?? ""));

/** What was sent by others does not steer a terminal. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "\uFFFD");
}

const cut = (text: string, max: number): string => (text.length <= max ? text : `${text.slice(0, max - 1)}…`);

export function listText({ items }: EventList, nowMs: number, allNamespaces: boolean): string {
  if (items.length === 0) return "No events found.\n";
  const header = ["PLACE", "AGE", "WHERE", "TYPE", "SOURCE", "ID", "SUBSCRIBERS"];
  const rows = items.map((event) => {
    const { kind, namespace, name } = event.stream;
    const where = `${kind === "Broker" ? "broker" : "channel"}:${name}`;
    const cells = [
      `@${event.offset}`,
      humanDuration(Math.max(0, nowMs - Date.parse(event.time))),
      where,
      cut(attribute(event, "type"), CELL_MAX),
      cut(attribute(event, "source"), CELL_MAX),
      cut(attribute(event, "id"), CELL_MAX),
      standingsText(event.standings),
    ];
    return allNamespaces ? [namespace, ...cells] : cells;
  });
  return table(allNamespaces ? ["NAMESPACE", ...header] : header, rows);
}

function standingsText(standings: EventList["items"][number]["standings"]): string {
  const told = (Object.keys(WORDS) as EventStanding[]).flatMap((standing) => {
    const count = standings[standing] ?? 0;
    return count === 0 ? [] : [`${count} ${WORDS[standing]}`];
  });
  return told.length === 0 ? "none" : told.join(", ");
}

interface Branch {
  readonly lines: readonly string[];
  readonly below: readonly Branch[];
}

/** The whole path of one event. */
export function pathText({ asked, root, cut: isCut }: EventPath, paint: Paint): string {
  const { lines, below } = storyBranch(root, asked, paint);
  const more = isCut === true ? ["", paint.faint("More events belong to this path than are shown.")] : [];
  return `${[...lines, ...drawn(below, ""), ...more].join("\n")}\n`;
}

function drawn(branches: readonly Branch[], indent: string): string[] {
  return branches.flatMap(({ lines, below }, index) => {
    const isLast = index === branches.length - 1;
    const inner = `${indent}${isLast ? "   " : "│  "}`;
    const [first = "", ...rest] = lines;
    return [`${indent}${isLast ? "└─ " : "├─ "}${first}`, ...rest.map((line) => `${inner}${below.length > 0 ? "│  " : "   "}${line}`), ...drawn(below, inner)];
  });
}

function storyBranch(story: EventStory, asked: number, paint: Paint): Branch {
  const { kind, namespace, name } = story.stream;
  const subject = story.attributes["subject"] === undefined ? "" : `  subject ${attribute(story, "subject")}`;
  const mark = story.offset === asked ? "  ◀ asked for" : "";
  const how = story.origin === undefined ? "came in" : "went on";
  return {
    lines: [
      `event ${attribute(story, "type")}  id ${attribute(story, "id")}  source ${attribute(story, "source")}${subject}${mark}`,
      paint.faint(`@${story.offset}  ${how} at ${story.time}  ${kind} ${namespace}/${name}  ${bytesText(story.dataBytes)}`),
      ...dataLines(story, paint),
    ],
    below:
      story.deliveries.length === 0
        ? [{ lines: [paint.faint("nobody subscribes")], below: [] }]
        : story.deliveries.map((delivery) => deliveryBranch(delivery, asked, paint)),
  };
}

const bytesText = (bytes: number): string => (bytes === 1 ? "1 byte" : `${bytes} bytes`);

function dataLines({ data, dataCut }: EventStory, paint: Paint): string[] {
  if (data === undefined) return [];
  const text = "json" in data ? JSON.stringify(data.json) : "text" in data ? data.text : `base64 ${data.base64}`;
  if (text === "") return [];
  return [paint.faint(cut(visible(text), DATA_CHARACTERS_MAX) + (dataCut === true && text.length < DATA_CHARACTERS_MAX ? "…" : ""))];
}

function deliveryBranch(delivery: Delivery, asked: number, paint: Paint): Branch {
  const { subscriber, standing, due, attempts, matchesNow } = delivery;
  const who = subscriber.name !== "" ? subscriber.name : subscriber.url === undefined ? `a subscriber that is no more (${subscriber.id})` : "by hand";
  const painted = standing === "delivered" || standing === "replayed" ? paint.good : standing === "missed" || standing === "ahead" ? paint.faint : paint.bad;
  const changed = attempts.length > 0 && matchesNow === false ? ["its filter would not let it pass now"] : [];
  const said = [standingText(standing, due), ...changed].join("; ");
  const to = standing === "missed" || subscriber.url === undefined ? "" : ` → ${subscriber.url}`;
  const children: Branch[] = attempts.map((attempt) => {
    const replies = delivery.replies.filter(({ offset }) => offset === attempt.reply);
    return { lines: [attemptText(attempt, delivery, paint)], below: replies.map((reply) => storyBranch(reply, asked, paint)) };
  });
  return { lines: [`${who}${to}  ${painted(said)}`], below: children };
}

function standingText(standing: EventStanding, due: string | undefined): string {
  switch (standing) {
    case "missed":
      return "missed: its filter, as it is now, does not let it pass";
    case "unrecorded":
      return "no attempt is on record: it may be newer than the event";
    case "parked":
      return "parked: the dead letter sink has not taken it; eider event resume tries again";
    case "waiting":
      return due === undefined ? WORDS.waiting : `waiting: the next attempt is at ${due}`;
    default:
      return WORDS[standing];
  }
}

const LEGS: Readonly<Record<AttemptDocument["leg"], string>> = { subscriber: "attempt", deadLetter: "dead letter, attempt", replay: "replay" };
const NEXT: Readonly<Record<AttemptDocument["next"], string>> = {
  delivered: "",
  deadLettered: "",
  gaveUp: ", given up",
  retry: ", tried again",
  deadLetter: ", goes to the dead letter sink",
  park: ", parked",
};

function attemptText(attempt: AttemptDocument, { subscriber }: Pick<Delivery, "subscriber">, paint: Paint): string {
  const { leg, attempt: number, time, tookMs, status, why, next, reply } = attempt;
  const isGood = status !== undefined && status >= 200 && status < 300;
  const answer = (isGood ? paint.good : paint.bad)(status === undefined ? visible(why ?? "no answer") : String(status));
  const where = leg === "deadLetter" && subscriber.deadLetterUrl !== undefined ? ` → ${subscriber.deadLetterUrl}` : "";
  const answered = reply === undefined ? "" : ", answered with an event";
  return `${LEGS[leg]}${leg === "replay" ? "" : ` ${number}`}${where}  ${answer}  ${tookMs.toFixed(1)} ms${NEXT[next]}${answered}  ${paint.faint(time)}`;
}

/** One line of what happens. */
export function watchText(line: WatchLine, paint: Paint): string {
  const { event } = line;
  const which = `${attribute(event, "type")}  id ${attribute(event, "id")}  @${event.offset}`;
  if (line.type === "event") return `${event.time}  in   ${which}  ${event.stream.kind} ${event.stream.namespace}/${event.stream.name}\n`;
  const who = line.subscriber.name === "" ? line.subscriber.id : `${line.subscriber.namespace}/${line.subscriber.name}`;
  const { time } = line.attempt;
  return `${time}  out  ${which}  ${who}: ${attemptText(line.attempt, line, { ...paint, faint: () => "" }).trimEnd()}\n`;
}

export function replayText(line: ReplayLine, paint: Paint): string {
  if (line.type === "done") {
    const more = line.more ? "; there are more: go on with a later --since" : "";
    return `${line.accepted} accepted, ${line.failed} failed, ${line.skipped} skipped${more} (replay ${line.replay})\n`;
  }
  const which = `@${line.event.offset}  ${attribute(line.event, "type")}  id ${attribute(line.event, "id")}`;
  if (line.type === "skipped") return paint.faint(`${which}  skipped: ${line.why}`) + "\n";
  const { status, why, tookMs, reply, next } = line.attempt;
  const answer = (next === "delivered" ? paint.good : paint.bad)(status === undefined ? visible(why ?? "no answer") : String(status));
  return `${which}  ${answer}  ${tookMs.toFixed(1)} ms${reply === undefined ? "" : ", answered with an event"}\n`;
}
