// Which revisions the traffic of a Route goes to (serving.md §2.7).
//
// case                                                        AllTrafficAssigned
// Configuration or Revision missing                           False  ConfigurationMissing, RevisionMissing
// Configuration without ready revision, its Ready False       False  RevisionMissing
//                                       otherwise             Unknown RevisionMissing
// Revision not ready, its Ready False                         False  RevisionMissing
//                     otherwise                               Unknown RevisionMissing
// Revision of another Service                                 False  RevisionNotOwned
import { protocolOf, serving, type Configuration, type Revision, type Route, type TrafficTarget } from "#kinds";
import { isReady, readyStatus } from "../status.ts";
import type { Rollout } from "./rollout.ts";

/** A target resolved to a revision. */
export interface RevisionTarget {
  readonly tag: string;
  readonly revisionName: string;
  readonly configurationName: string;
  readonly latestRevision: boolean;
  readonly percent: number;
  readonly protocol: "http1" | "h2c";
}

export interface Traffic {
  /** As the status lists them: one for each tag, revision and way of naming it. */
  readonly targets: readonly RevisionTarget[];
  /** Targets by tag, revisions merged; "" is the Route itself and holds all of them. */
  readonly groups: ReadonlyMap<string, readonly RevisionTarget[]>;
}

/** Why traffic cannot be assigned. */
export interface TrafficProblem {
  readonly status: "False" | "Unknown";
  readonly reason: string;
  readonly message: string;
}

/** What the targets of a Route name, by name. */
export interface TrafficSources {
  readonly configurations: ReadonlyMap<string, Configuration>;
  readonly revisions: ReadonlyMap<string, Revision>;
}

const missing = (kind: string, name: string): TrafficProblem => ({
  status: "False",
  reason: `${kind}Missing`,
  message: `${kind} "${name}" referenced in traffic not found.`,
});

function unready(revision: Revision): TrafficProblem {
  const { name } = revision.metadata;
  if (readyStatus(revision) === "False") return { status: "False", reason: "RevisionMissing", message: `Revision "${name}" failed to become ready.` };
  return { status: "Unknown", reason: "RevisionMissing", message: `Revision "${name}" is not yet ready.` };
}

function withoutReadyRevision(configuration: Configuration): TrafficProblem {
  const { name } = configuration.metadata;
  if (readyStatus(configuration) === "False") {
    return { status: "False", reason: "RevisionMissing", message: `Configuration "${name}" does not have any ready Revision.` };
  }
  return { status: "Unknown", reason: "RevisionMissing", message: `Configuration "${name}" is waiting for a Revision to become ready.` };
}

/** Routes of a Service serve that Service's revisions only. */
function foreign(route: Route, revision: Revision): TrafficProblem | undefined {
  const expected = route.metadata.labels?.[serving.service] ?? "";
  const actual = revision.metadata.labels?.[serving.service] ?? "";
  if (expected === "" || expected === actual) return undefined;
  const { name } = revision.metadata;
  const message =
    actual === ""
      ? `Revision "${name}" does not belong to Service "${expected}".`
      : `Revision "${name}" belongs to Service "${actual}", not Service "${expected}".`;
  return { status: "False", reason: "RevisionNotOwned", message };
}

function resolved(target: TrafficTarget, revision: Revision, configurationName: string): RevisionTarget {
  const { tag = "", latestRevision = false, percent = 0 } = target;
  return { tag, revisionName: revision.metadata.name, configurationName, latestRevision, percent, protocol: protocolOf(revision) };
}

function resolveRevision(route: Route, target: TrafficTarget, { configurations, revisions }: TrafficSources): RevisionTarget | TrafficProblem {
  const name = target.revisionName ?? "";
  const revision = revisions.get(name);
  if (revision === undefined) return missing("Revision", name);
  const problem = foreign(route, revision);
  if (problem !== undefined) return problem;
  if (!isReady(revision)) return unready(revision);
  const configurationName = revision.metadata.labels?.[serving.configuration];
  if (configurationName !== undefined && !configurations.has(configurationName)) return missing("Configuration", configurationName);
  return resolved(target, revision, configurationName ?? target.configurationName ?? "");
}

function resolveConfiguration(target: TrafficTarget, { configurations, revisions }: TrafficSources): RevisionTarget | TrafficProblem {
  const name = target.configurationName ?? "";
  const configuration = configurations.get(name);
  if (configuration === undefined) return missing("Configuration", name);
  const ready = configuration.status?.latestReadyRevisionName ?? "";
  if (ready === "") return withoutReadyRevision(configuration);
  const revision = revisions.get(ready);
  if (revision === undefined) return missing("Revision", ready);
  return isReady(revision) ? resolved(target, revision, name) : unready(revision);
}

/** Adds percentages up where `same` holds; the first of them gives the rest. */
function merged(targets: readonly RevisionTarget[], same: (a: RevisionTarget, b: RevisionTarget) => boolean): RevisionTarget[] {
  const result: RevisionTarget[] = [];
  for (const target of targets) {
    const at = result.findIndex((other) => same(other, target));
    const other = result[at];
    if (other === undefined) result.push(target);
    else result[at] = { ...other, percent: other.percent + target.percent };
  }
  return result;
}

function groupsOf(targets: readonly RevisionTarget[]): Map<string, readonly RevisionTarget[]> {
  const tags = ["", ...new Set(targets.map(({ tag }) => tag).filter((tag) => tag !== ""))].sort();
  return new Map(
    tags.map((tag) => {
      const members = merged(
        targets.filter((target) => tag === "" || target.tag === tag),
        (a, b) => a.revisionName === b.revisionName,
      );
      return [tag, members.length === 1 ? members.map((member) => ({ ...member, percent: 100 })) : members];
    }),
  );
}

/** Resolves all targets; a failure counts before something that may still become ready. */
export function resolveTraffic(route: Route, sources: TrafficSources): Traffic | TrafficProblem {
  const targets: RevisionTarget[] = [];
  let problem: TrafficProblem | undefined;
  for (const target of route.spec.traffic ?? []) {
    const result = (target.revisionName ?? "") === "" ? resolveConfiguration(target, sources) : resolveRevision(route, target, sources);
    if ("revisionName" in result) targets.push(result);
    else if (problem === undefined || result.status === "False") problem = result;
  }
  if (problem !== undefined) return problem;
  const sameEntry = (a: RevisionTarget, b: RevisionTarget): boolean =>
    a.tag === b.tag && a.revisionName === b.revisionName && a.latestRevision === b.latestRevision;
  return { targets: merged(targets, sameEntry), groups: groupsOf(targets) };
}

/** The rollout's end: every latest revision at its full share. */
export function wantedRollout({ groups }: Traffic): Rollout {
  return [...groups].flatMap(([tag, targets]) =>
    targets
      .filter(({ latestRevision, percent }) => latestRevision && percent > 0)
      .sort((a, b) => (a.configurationName < b.configurationName ? -1 : 1))
      .map(({ configurationName, percent, revisionName }) => ({ configurationName, tag, percent, revisions: [{ revisionName, percent }], step: {} })),
  );
}

/** Targets whose latest revision is on its way up share its traffic with those before it. */
export function withRollout({ targets, groups }: Traffic, rollout: Rollout): Traffic {
  const shared = (tag: string, target: RevisionTarget): RevisionTarget[] => {
    const rolled = rollout.find((each) => each.tag === tag && each.configurationName === target.configurationName);
    if (!target.latestRevision || rolled === undefined || rolled.revisions.length <= 1) return [target];
    return rolled.revisions.map(({ revisionName, percent }) => ({ ...target, revisionName, percent }));
  };
  return {
    targets: targets.flatMap((target) => shared(target.tag, target)),
    groups: new Map([...groups].map(([tag, members]) => [tag, members.flatMap((target) => (target.percent > 0 ? shared(tag, target) : [target]))])),
  };
}
