// Periods of ISO 8601 ("PT0.2S", "P1DT2H"), the form of every time in a delivery (eventing.md §0.4).

/** A year and a month are as long as they are on average. */
const DATE_MS: Readonly<Record<string, number>> = { Y: 365.2425 * 86_400_000, M: 30.436875 * 86_400_000, W: 7 * 86_400_000, D: 86_400_000 };
const TIME_MS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000 };

/** Longer texts are no periods that anybody writes. */
const LENGTH_MAX = 64;

/** Each unit at most once, a fraction only in the last field; undefined for what is no such list. */
function sumOf(fields: string, units: Readonly<Record<string, number>>): number | undefined {
  const seen = new Set<string>();
  let total = 0;
  let hadFraction = false;
  for (const [, whole = "", fraction = "", unit = ""] of fields.matchAll(/(\d+)(?:[.,](\d*))?([A-Z])/g)) {
    const scale = units[unit];
    if (scale === undefined || seen.has(unit) || hadFraction) return undefined;
    seen.add(unit);
    hadFraction = /[1-9]/.test(fraction);
    total += Number(`${whole}.${fraction}0`) * scale;
  }
  return total;
}

/** Milliseconds, negative for a period with a minus; undefined for what is no period. */
export function parsePeriodMs(text: string): number | undefined {
  if (text === "P0") return 0;
  const match = /^([+-]?)P((?:\d+(?:[.,]\d*)?[A-Z])*)(?:T((?:\d+(?:[.,]\d*)?[A-Z])*))?$/.exec(text.slice(0, LENGTH_MAX + 1));
  if (match === null || text.length > LENGTH_MAX) return undefined;
  const [, sign, date = "", time = ""] = match;
  if (date === "" && time === "") return undefined;
  const [inDate, inTime] = [sumOf(date, DATE_MS), sumOf(time, TIME_MS)];
  if (inDate === undefined || inTime === undefined) return undefined;
  const total = inDate + inTime;
  return sign === "-" && total !== 0 ? -total : total;
}
