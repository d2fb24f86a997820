// Configuration → Revisions: one for each generation of the template; the newest ready one serves (serving.md §2.3).
//
// latest created   its Ready   latest ready     Ready
// taken name       –           unchanged        False RevisionFailed "… already exists."
// being created    Unknown     another or none  Unknown
// created          False       another or none  False RevisionFailed
// created          True        becomes it       True
// created          Unknown     already it       unchanged
import { isDeepStrictEqual } from "node:util";
import { configurationConditions as conditions, Revision, serving, type Configuration } from "#kinds";
import type { Child, Plan, PlanEvent, Refusal } from "#reconcile";
import { conditionOf, type Condition } from "#schema";
import { tellsCreated } from "../created.ts";
import { isControlledBy } from "../ownership.ts";
import { beginConditions, isReady } from "../status.ts";
import { revisionFor, revisionNameFor } from "./children.ts";
import type { ObservedConfiguration } from "./observe.ts";

interface Draw {
  readonly marks: readonly Condition[];
  readonly created: string | undefined;
  readonly ready: string | undefined;
}

const generationOf = (revision: Revision): number => Number(revision.metadata.labels?.[serving.configurationGeneration] ?? Number.NaN);

/** Children are immutable: they stay as they are until garbage collection. */
const untouched = (revision: Revision): Child => ({ kind: Revision, object: revision, merge: () => undefined }) as Child;

function statusOf(configuration: Configuration, { marks, created, ready }: Draw): object {
  const {
    conditions: _conditions,
    observedGeneration: _generation,
    latestCreatedRevisionName: _c,
    latestReadyRevisionName: _r,
    ...other
  } = configuration.status ?? {};
  return {
    ...other,
    ...(created === undefined ? {} : { latestCreatedRevisionName: created }),
    ...(ready === undefined ? {} : { latestReadyRevisionName: ready }),
    observedGeneration: configuration.metadata.generation,
    conditions: conditions.sorted(marks),
  };
}

/** The Revision of the current generation, if there is one; `taken` when the wanted name stands for something else. */
function latestCreated({ configuration, named }: ObservedConfiguration): Revision | "taken" | undefined {
  if (named === undefined) return undefined;
  if (!isControlledBy(named, configuration)) return "taken";
  if (generationOf(named) === configuration.metadata.generation) return named;
  return isDeepStrictEqual(named.spec, configuration.spec.template.spec) ? named : "taken";
}

/** Candidates for "latest ready", best first: from the current latest ready one up to the current generation. */
function candidates({ configuration, revisions }: ObservedConfiguration, created: Revision | undefined): Revision[] {
  const byoName = configuration.spec.template.metadata?.name;
  const current = revisions.find((revision) => revision.metadata.name === configuration.status?.latestReadyRevisionName);
  const generation = configuration.metadata.generation ?? 0;
  const isInRange = (revision: Revision): boolean => {
    if (current === undefined) return true;
    if (byoName !== undefined && created !== undefined && generationOf(revision) === generationOf(created)) return true;
    return generationOf(revision) >= generationOf(current) && generationOf(revision) <= generation;
  };
  const rank = (revision: Revision): number => (revision.metadata.name === byoName ? Number.POSITIVE_INFINITY : generationOf(revision));
  return revisions.filter(isInRange).sort((a, b) => rank(b) - rank(a));
}

function withCreated(draw: Draw, name: string): Draw {
  return { ...draw, created: name, marks: draw.ready === name ? draw.marks : conditions.markUnknown(draw.marks, "Ready", {}) };
}

function withFailure(draw: Draw, message: string): Draw {
  return { ...draw, marks: conditions.markFalse(draw.marks, "Ready", { reason: "RevisionFailed", message }) };
}

function withReady(draw: Draw, name: string): Draw {
  return { ...draw, ready: name, marks: draw.created === name ? conditions.markTrue(draw.marks, "Ready") : draw.marks };
}

/** Nothing stands under the wanted name: create it, and say so if the server refuses. */
function planCreation(observed: ObservedConfiguration, begun: Draw): Plan {
  const { configuration, revisions, nowWallMs } = observed;
  const wanted = revisionFor(configuration, nowWallMs);
  const name = revisionNameFor(configuration);
  const ready = candidates(observed, undefined).find(isReady);
  const created = withCreated(begun, name);
  const draw = ready === undefined ? created : withReady(created, ready.metadata.name);
  return {
    desired: [...revisions.map(untouched), { kind: Revision, object: wanted, ...tellsCreated("Revision") } as Child],
    status: statusOf(configuration, draw),
    afterRefusal: ([refusal]: readonly Refusal[]) => {
      const message = refusal?.error.message ?? "";
      return {
        status: statusOf(configuration, withFailure(begun, `Revision creation failed with message: ${message}.`)),
        events: [
          { type: "Warning", reason: "CreationFailed", message: `Failed to create Revision: ${message}` },
          { type: "Warning", reason: "InternalError", message: `failed to create Revision: ${message}` },
        ],
      };
    },
  };
}

/** Events that tell a change; a repeated pass with the same stored status tells nothing. */
function eventsOf(before: Configuration, created: Revision, draw: Draw, isCreatedReady: boolean): PlanEvent[] {
  const events: PlanEvent[] = [];
  const oldReady = before.status?.latestReadyRevisionName;
  const { name } = created.metadata;
  if (isCreatedReady && oldReady === undefined) events.push({ type: "Normal", reason: "ConfigurationReady", message: "Configuration becomes ready" });
  const failed = conditionOf(draw.marks, "Ready");
  const was = conditionOf(before.status?.conditions, "Ready");
  if (failed?.status === "False" && (was?.status !== "False" || was.message !== failed.message)) {
    const [reason, which] = name === oldReady ? ["LatestReadyFailed", "ready"] : ["LatestCreatedFailed", "created"];
    events.push({ type: "Warning", reason, message: `Latest ${which} revision "${name}" has failed` });
  }
  if (draw.ready !== undefined && draw.ready !== oldReady) {
    events.push({ type: "Normal", reason: "LatestReadyUpdate", message: `LatestReadyRevisionName updated to "${draw.ready}"` });
  }
  return events;
}

export function planConfiguration(observed: ObservedConfiguration): Plan {
  const { configuration, revisions } = observed;
  if (configuration.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun: Draw = {
    marks: beginConditions(conditions, configuration),
    created: configuration.status?.latestCreatedRevisionName,
    ready: configuration.status?.latestReadyRevisionName,
  };
  const created = latestCreated(observed);
  if (created === undefined) return planCreation(observed, begun);
  const children = revisions.map(untouched);
  if (created === "taken") {
    const exists = `revisions.serving.knative.dev "${revisionNameFor(configuration)}" already exists`;
    const isNamedByUser = (configuration.spec.template.metadata?.name ?? "") !== "";
    if (!isNamedByUser) return { desired: children, status: statusOf(configuration, begun), failure: `failed to create Revision: ${exists}` };
    return { desired: children, status: statusOf(configuration, withFailure(begun, `Revision creation failed with message: ${exists}.`)) };
  }

  const { name } = created.metadata;
  const ready = conditionOf(created.status?.conditions, "Ready");
  let draw = withCreated(begun, name);
  if (ready?.status === "False") draw = withFailure(draw, `Revision "${name}" failed with message: ${ready.message ?? ""}.`);
  const best = candidates(observed, created).find(isReady);
  if (best !== undefined) draw = withReady(draw, best.metadata.name);
  return { desired: children, status: statusOf(configuration, draw), events: eventsOf(configuration, created, draw, ready?.status === "True") };
}
