// The formats of texts that Kubernetes knows in schemas of custom kinds; all others are no more than remarks.
import { isIPv4, isIPv6 } from "node:net";

type Check = (text: string) => boolean;

const matching =
  (pattern: RegExp): Check =>
  (text) =>
    pattern.test(text);

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDate(text: string): boolean {
  const [, year = 0, month = 0, day = 0] = (/^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? []).map(Number);
  if (month < 1 || month > 12 || day < 1 || day > (DAYS[month - 1] ?? 0)) return false;
  return month !== 2 || day < 29 || (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0));
}

function isDateTime(text: string): boolean {
  const [date = "", time = "", ...more] = text.toLowerCase().split("t");
  const [, hours, minutes, seconds] = /^(\d\d):(\d\d):(\d\d)(.\d+)?(z|[+-]\d\d:\d\d)$/.exec(time) ?? [];
  if (more.length > 0 || hours === undefined || !isDate(date)) return false;
  return Number(hours) < 24 && Number(minutes) < 60 && Number(seconds) < 60;
}

const GO_DURATION = /^[+-]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+$/;
const UNITS = ["ns", "nano", "us", "µs", "micro", "ms", "milli", "s", "sec", "m", "min", "h", "hr", "hour", "d", "day", "w", "wk", "week"];
const LAST_UNITS = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];

/** Go's durations, and Scala's with words for units. */
function isDuration(text: string): boolean {
  if (text === "0" || GO_DURATION.test(text)) return true;
  return [...text.matchAll(/\d+\s*([A-Za-zµ]+)/g)].some(([, word = ""]) => {
    const unit = word.toLowerCase();
    return UNITS.includes(unit) || LAST_UNITS.some((name) => unit.startsWith(name));
  });
}

function isUri(text: string): boolean {
  if (text === "" || /[\s\p{Cc}]/u.test(text)) return false;
  if (text.startsWith("/")) return !/%(?![0-9a-f]{2})/i.test(text);
  if (!/^[a-z][a-z0-9+.-]*:/i.test(text)) return false;
  const rest = text.slice(text.indexOf(":") + 1);
  return rest.startsWith("//") ? URL.canParse(text.replace(/^[a-z][a-z0-9+.-]*:/i, "http:")) || rest === "//" : true;
}

/** Zeros before a number have never been refused. */
function isSloppyIPv4(text: string): boolean {
  return isIPv4(text.replaceAll(/(^|\.)0+(?=\d)/g, "$1"));
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...more] = text.split("/");
  if (more.length > 0 || !/^\d{1,3}$/.test(bits) || (bits.length > 1 && bits.startsWith("0"))) return false;
  return isSloppyIPv4(address) ? Number(bits) <= 32 : isIPv6(address) && !address.includes("%") && Number(bits) <= 128;
}

function isHostname(text: string): boolean {
  if (text.length > 255 || text === "") return false;
  const labels = text.split(".");
  const label = /^[\p{S}\p{L}a-zA-Z0-9]([-\p{S}\p{L}a-zA-Z0-9]*[\p{S}\p{L}a-zA-Z0-9])?$/u;
  const last = labels.at(-1) ?? "";
  return labels.every((one) => one.length <= 63 && label.test(one)) && (labels.length === 1 || /^[\p{L}]{2,63}$/u.test(last));
}

const digitsOf = (text: string): string => text.replaceAll(/[- ]/g, "");

function isIsbn10(text: string): boolean {
  const digits = digitsOf(text);
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  return [...digits].reduce((sum, digit, at) => sum + (digit === "X" ? 10 : Number(digit)) * (at + 1), 0) % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = digitsOf(text);
  return /^\d{13}$/.test(digits) && [...digits].reduce((sum, digit, at) => sum + Number(digit) * (at % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

const CARD = /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/;

function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, "");
  if (!CARD.test(digits)) return false;
  const sum = [...digits]
    .toReversed()
    .reduce((total, digit, at) => total + (at % 2 === 0 ? Number(digit) : ((Number(digit) * 2) % 10) + Math.floor(Number(digit) / 5)), 0);
  return sum % 10 === 0;
}

const BYTE = "(0|[1-9]\\d?|1\\d\\d|2[0-4]\\d|25[0-5])";
const isMac = matching(
  /^([0-9a-f]{2}([:-]))([0-9a-f]{2}\2){4}[0-9a-f]{2}((\2[0-9a-f]{2}){2}|(\2[0-9a-f]{2}){14})?$|^([0-9a-f]{4}\.){2}[0-9a-f]{4}(\.[0-9a-f]{4}|(\.[0-9a-f]{4}){7})?$/i,
);

/** By the name of the format without its dashes, as Kubernetes looks them up. */
const FORMATS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["bsonobjectid", matching(/^[0-9a-f]{24}$/i)],
  ["uri", isUri],
  ["email", matching(/^(?:[^<>]*<\s*)?[^\s@<>,;:"()[\]\\]+@[^\s@<>,;:"()]+(?:\s*>)?$/)],
  ["hostname", isHostname],
  ["ipv4", isSloppyIPv4],
  ["ipv6", (text) => isIPv6(text) && !text.includes("%")],
  ["cidr", isCidr],
  ["mac", isMac],
  ["uuid", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid3", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?3[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i)],
  ["uuid4", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["uuid5", matching(/^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i)],
  ["isbn", (text) => isIsbn10(text) || isIsbn13(text)],
  ["isbn10", isIsbn10],
  ["isbn13", isIsbn13],
  ["creditcard", isCreditCard],
  ["ssn", matching(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ["hexcolor", matching(/^#?([0-9a-f]{3}|[0-9a-f]{6})$/i)],
  ["rgbcolor", matching(new RegExp(`^rgb\\(\\s*${BYTE}\\s*,\\s*${BYTE}\\s*,\\s*${BYTE}\\s*\\)$`))],
  ["byte", matching(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)],
  ["password", () => true],
  ["date", isDate],
  ["duration", isDuration],
  ["datetime", isDateTime],
]);

export function isKnownFormat(format: string): boolean {
  return formatCheck(format) !== undefined;
}

/** Undefined for a format that means nothing. */
export function formatCheck(format: string | undefined): Check | undefined {
  return format === undefined ? undefined : FORMATS.get(format.replaceAll("-", ""));
}
