// --traffic, --tag and --untag on a Service's traffic block: in this order untag, tag, traffic; kn's rules and words.
import { CliError } from "./exit.ts";

export interface TrafficTarget {
  readonly tag?: string;
  readonly revisionName?: string;
  readonly latestRevision?: boolean;
  readonly percent?: number;
}

export interface TrafficFlags {
  readonly traffic: readonly string[];
  readonly tag: readonly string[];
  readonly untag: readonly string[];
}

const usage = (message: string): CliError => new CliError("usage", message);

/** The new traffic block; `current` is the one of the Service. Throws CliError `usage` with kn's texts. */
export function planTraffic(current: readonly TrafficTarget[], flags: TrafficFlags, service: string): TrafficTarget[] {
  let targets: TrafficTarget[] = current.map((target) => ({ ...target }));
  for (const tag of flags.untag) targets = untag(targets, tag, service);
  for (const [reference, tag] of pairs(flags.tag)) targets = addTag(targets, reference, tag);
  if (flags.traffic.length > 0) targets = share(targets, flags.traffic);
  return targets.filter((target) => target.tag !== undefined || (target.percent ?? 0) > 0);
}

function pairs(values: readonly string[]): [string, string][] {
  return values
    .flatMap((value) => value.split(","))
    .map((value) => {
      const at = value.indexOf("=");
      if (at <= 0 || at === value.length - 1) throw usage(`expecting the value format in value1=value2, given ${value}`);
      return [value.slice(0, at), value.slice(at + 1)];
    });
}

const isLatest = (target: TrafficTarget): boolean => target.latestRevision === true;
const refersTo = (target: TrafficTarget, reference: string): boolean =>
  reference === "@latest" ? isLatest(target) : target.tag === reference || (!isLatest(target) && target.revisionName === reference);
const targetOf = (reference: string): TrafficTarget =>
  reference === "@latest" ? { latestRevision: true } : { revisionName: reference, latestRevision: false };

function untag(targets: readonly TrafficTarget[], tag: string, service: string): TrafficTarget[] {
  if (!targets.some((target) => target.tag === tag)) throw usage(`tag(s) ${tag} not present for any revisions of service ${service}`);
  return targets.map(({ tag: own, ...target }) => (own === undefined || own === tag ? target : { ...target, tag: own }));
}

function addTag(targets: readonly TrafficTarget[], reference: string, tag: string): TrafficTarget[] {
  const holder = targets.find((target) => target.tag === tag);
  if (holder !== undefined) {
    if (refersTo(holder, reference)) return [...targets];
    throw usage(`refusing to overwrite existing tag in service, add flag '--untag ${tag}' in command to untag it`);
  }
  const found = targets.findIndex((target) => refersTo(target, reference) && target.tag === undefined);
  if (found >= 0) return targets.map((target, index) => (index === found ? { ...target, tag } : target));
  return [...targets, { ...targetOf(reference), tag, percent: 0 }];
}

function share(targets: readonly TrafficTarget[], flags: readonly string[]): TrafficTarget[] {
  const wanted = new Map<string, number>();
  for (const value of flags.flatMap((flag) => flag.split(","))) {
    const [reference, text] = value.includes("=") ? (pairs([value])[0] ?? ["", ""]) : ["@latest", value];
    const percent = Number(text.replace(/%$/, ""));
    if (!Number.isInteger(percent)) throw usage(`error converting given ${text} to integer value for traffic distribution`);
    if (percent < 0 || percent > 100) throw usage(`invalid value for traffic percent ${percent}, expected 0 <= percent <= 100`);
    if (wanted.has(reference)) {
      const what = reference === "@latest" ? "identifier @latest" : `revision reference ${reference}`;
      throw usage(`repetition of ${what} is not allowed, use only once with --traffic flag`);
    }
    wanted.set(reference, percent);
  }
  const sum = [...wanted.values()].reduce((a, b) => a + b, 0);
  if (sum > 100) throw usage(`given traffic percents sum to ${sum}, want <=100`);
  return fill(targets, wanted, 100 - sum);
}

/** Sets the given shares; what is left goes to the one routed target that was not mentioned. */
function fill(targets: readonly TrafficTarget[], wanted: ReadonlyMap<string, number>, left: number): TrafficTarget[] {
  const mentioned = (target: TrafficTarget): string | undefined => [...wanted.keys()].find((reference) => refersTo(target, reference));
  const others = targets.filter((target) => mentioned(target) === undefined && (target.percent ?? 0) > 0);
  if (left > 0 && others.length !== 1) {
    const why = others.length === 0 ? "cannot determine the missing revision" : "incorrect number of revisions specified. Only 1 revision should be missing";
    throw usage(`unable to allocate the remaining traffic: ${left}%. Reason: ${why}`);
  }
  const used = new Set<string>();
  const kept = targets.map((target) => {
    const reference = mentioned(target);
    if (reference === undefined) return { ...target, percent: target === others[0] ? left : 0 };
    if (used.has(reference)) return { ...target, percent: 0 };
    used.add(reference);
    return { ...target, percent: wanted.get(reference) ?? 0 };
  });
  const added = [...wanted].filter(([reference]) => !used.has(reference)).map(([reference, percent]) => ({ ...targetOf(reference), percent }));
  return [...kept, ...added];
}
