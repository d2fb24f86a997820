// Which events a command means: flags as the words of the HTTP API. Pure.
import { parseDurationMs } from "#core";
import { CliError } from "./exit.ts";

export interface EventFilterFlags {
  readonly broker?: string;
  readonly channel?: string;
  readonly type?: string;
  readonly source?: string;
  readonly id?: string;
  readonly subject?: string;
  readonly since?: string;
  readonly until?: string;
}

const AS_THEY_ARE = ["broker", "channel", "type", "source", "id", "subject"] as const;

/** Throws CliError `usage`. A namespace that is undefined means all. */
export function eventQuery(flags: EventFilterFlags, namespace: string | undefined, nowMs: number): Record<string, string> {
  if (flags.broker !== undefined && flags.channel !== undefined)
    throw new CliError("usage", "--broker and --channel exclude one another", { hint: "name the one that took the event" });
  const query: Record<string, string> = namespace === undefined ? {} : { namespace };
  for (const name of AS_THEY_ARE) if (flags[name] !== undefined) query[name] = flags[name];
  if (flags.since !== undefined) query["since"] = timeOf("--since", flags.since, nowMs);
  if (flags.until !== undefined) query["until"] = timeOf("--until", flags.until, nowMs);
  return query;
}

/** `10m` is ten minutes ago; anything else is a time. */
function timeOf(flag: string, text: string, nowMs: number): string {
  const agoMs = parseDurationMs(text);
  if (agoMs !== undefined && agoMs >= 0) return new Date(nowMs - agoMs).toISOString();
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
  if (!Number.isNaN(ms)) return new Date(ms).toISOString();
  throw new CliError("usage", `invalid value ${JSON.stringify(text)} for ${flag}`, { hint: `${flag} 10m, or ${flag} 2026-01-31T12:00:00Z` });
}

/** One event as a person names it: an id, or `@` and its place in the log. */
export function choiceQuery(word: string): { readonly id: string } | { readonly offset: string } {
  return /^@\d+$/.test(word) ? { offset: word.slice(1) } : { id: word };
}
