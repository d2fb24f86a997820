// What is wrong with a schedule of a PingSource, in the words of Go's parser: five fields or six, names, and descriptors (eventing.md §1.12).

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ["", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"] },
  { min: 0, max: 6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] },
];

const DESCRIPTORS = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/** What a schedule says of its time zone: a prefix, as Go's parser takes it. */
export interface CronText {
  readonly timezone: string;
  readonly schedule: string;
}

/** The schedule apart from `CRON_TZ=…` before it; the prefix is taken before the field `timezone`. */
export function cronText(schedule: string, timezone = ""): CronText {
  const [, zone, rest] = /^(?:CRON_)?TZ=(\S*)(.*)$/s.exec(schedule) ?? [];
  return zone === undefined ? { timezone, schedule } : { timezone: zone, schedule: (rest ?? "").trim() };
}

class Wrong extends Error {}

function numberOf(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Wrong(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Wrong(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: value out of range`);
  if (value < 0) throw new Wrong(`negative number (${value}) not allowed: ${text}`);
  return value;
}

function numberOrName(text: string, { names }: Bounds): number {
  const named = text === "" ? -1 : (names?.indexOf(text.toLowerCase()) ?? -1);
  return named >= 0 ? named : numberOf(text);
}

function endsOf(range: string, expression: string, bounds: Bounds): { readonly start: number; readonly end: number } {
  const [low = "", ...high] = range.split("-");
  if (low === "*" || low === "?") return { start: bounds.min, end: bounds.max };
  const start = numberOrName(low, bounds);
  if (high.length > 1) throw new Wrong(`too many hyphens: ${expression}`);
  return { start, end: high[0] === undefined ? start : numberOrName(high[0], bounds) };
}

function checkRange(expression: string, bounds: Bounds): void {
  const [range = "", ...steps] = expression.split("/");
  const ends = endsOf(range, expression, bounds);
  if (steps.length > 1) throw new Wrong(`too many slashes: ${expression}`);
  const step = steps[0] === undefined ? 1 : numberOf(steps[0]);
  const { start } = ends;
  const end = steps.length === 1 && !range.includes("-") ? bounds.max : ends.end;
  if (start < bounds.min) throw new Wrong(`beginning of range (${start}) below minimum (${bounds.min}): ${expression}`);
  if (end > bounds.max) throw new Wrong(`end of range (${end}) above maximum (${bounds.max}): ${expression}`);
  if (start > end) throw new Wrong(`beginning of range (${start}) beyond end of range (${end}): ${expression}`);
  if (step === 0) throw new Wrong(`step of range should be a positive number: ${expression}`);
}

function checkFields(schedule: string): void {
  const fields = schedule.split(/\s+/).filter((field) => field !== "");
  if (fields.length < 5 || fields.length > 6) throw new Wrong(`expected 5 to 6 fields, found ${fields.length}: [${fields.join(" ")}]`);
  // Without seconds there is one field less.
  const bounds = FIELDS.slice(FIELDS.length - fields.length);
  fields.forEach((field, index) => {
    for (const expression of field.split(",").filter((part) => part !== "")) checkRange(expression, bounds[index] as Bounds);
  });
}

/** Why the schedule cannot be read; undefined when it can. `@every` is refused elsewhere. */
export function scheduleComplaint(schedule: string): string | undefined {
  if (schedule === "") return "empty spec string";
  if (schedule.startsWith("@")) return DESCRIPTORS.includes(schedule) || schedule.startsWith("@every ") ? undefined : `unrecognized descriptor: ${schedule}`;
  try {
    checkFields(schedule);
    return undefined;
  } catch (error) {
    if (error instanceof Wrong) return error.message;
    throw error;
  }
}

/** Names as the database of time zones has them; offsets are none. */
export function zoneComplaint(timezone: string): string | undefined {
  if (["", "UTC", "Local"].includes(timezone)) return undefined;
  try {
    if (/^[A-Za-z]/.test(timezone)) {
      void new Intl.DateTimeFormat("en", { timeZone: timezone });
      return undefined;
    }
  } catch {
    // Nobody knows it.
  }
  return `provided bad location ${timezone}: unknown time zone ${timezone}`;
}
