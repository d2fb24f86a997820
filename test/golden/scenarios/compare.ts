// Where two values differ first, and how a step of ours is compared with the recorded one.
import type { Ledger } from "./ledger.ts";
import { masked, UNLISTED } from "./masks.ts";
import { normaliseObject, ownersOf, normaliseText, normaliseValue, type Replacements } from "./normalise.ts";
import { tellsOfRollout, withoutRollout } from "./queue-proxy-rollouts.ts";
import type { Json, RecordedEvent, RecordedObject, RecordedStep, Scenario } from "./recording.ts";
import { kindName } from "./ledger.ts";

const show = (value: unknown): string => (value === undefined ? "nothing" : JSON.stringify(value)).slice(0, 300);

/** The first difference as `path: got … want …`; undefined when there is none. Keys have no order. */
export function firstDifference(got: unknown, want: unknown, path = ""): string | undefined {
  if (Array.isArray(got) && Array.isArray(want)) {
    for (let index = 0; index < Math.max(got.length, want.length); index++) {
      const found = firstDifference(got[index], want[index], `${path}[${index}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof got === "object" && typeof want === "object" && got !== null && want !== null && !Array.isArray(got) && !Array.isArray(want)) {
    const [a, b] = [got as Json, want as Json];
    for (const key of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort()) {
      const found = firstDifference(a[key], b[key], `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(got, want) ? undefined : `${path}: got ${show(got)}, want ${show(want)}`;
}

export interface Answer {
  readonly code: number;
  readonly warnings: readonly string[];
  readonly body: Json;
}

/** A Status by its message, reason and details; an object by the metadata that users see, and its spec. */
function substance(body: Json): Json {
  if (body["kind"] === "Status") return { kind: "Status", metadata: {}, message: body["message"], reason: body["reason"], details: body["details"] };
  const metadata = (body["metadata"] ?? {}) as Json;
  const { labels, annotations, ownerReferences, finalizers } = metadata;
  return { kind: body["kind"], metadata: { labels, annotations, ownerReferences, finalizers }, spec: body["spec"] };
}

export function compareResponse(got: Answer, want: RecordedStep["response"], replacements: Replacements): string | undefined {
  if (want === undefined) return undefined;
  if (got.code !== want.code) return `.code: got ${got.code} (${show(got.body["message"])}), want ${want.code}`;
  const warnings = firstDifference(got.warnings, want.warnings ?? [], ".warnings");
  if (warnings !== undefined || want.body?.["omitted"] !== undefined) return warnings;
  const ours = normaliseValue(substance(got.body), replacements) as RecordedObject;
  return firstDifference(masked(ours), masked(substance(want.body ?? {}) as RecordedObject));
}

const idOf = (object: RecordedObject): string => `${kindName(object)}/${object.metadata.name}`;

/** Slices that Kubernetes mirrors from Endpoints are not in the recordings. */
const isMirrored = (object: RecordedObject): boolean =>
  object.kind === "EndpointSlice" &&
  ((object.metadata["labels"] as Json | undefined)?.["endpointslice.kubernetes.io/managed-by"] as string | undefined)?.includes("mirroring") === true;

export interface ObjectsOptions {
  /** Deployments that only a new queue-proxy rolled out. */
  readonly rollouts: ReadonlySet<string>;
  readonly ledger: Ledger;
  readonly replacements: Replacements;
  readonly scenario: Scenario;
  readonly step: number;
  /** Recorded objects by step, for `unchangedSinceStep`. */
  readonly recorded: (step: number, id: string) => RecordedObject | undefined;
}

/** JSON pointers of one object that differed between two runs of the real thing; "" is the object as a whole. */
function unstablePaths({ scenario, step }: ObjectsOptions, object: RecordedObject): readonly string[] {
  const name = `${object.kind}/${object.metadata.name}`;
  return (scenario.unstable ?? []).filter((each) => each.step === step && each.object === name).map(({ path }) => path);
}

function withoutPaths(object: RecordedObject, paths: readonly string[]): RecordedObject {
  const copy = structuredClone(object);
  for (const path of paths) {
    const members = path.split("/").slice(1);
    const last = members.pop() ?? "";
    let at: unknown = copy;
    for (const member of members) at = (at as Json | undefined)?.[member];
    if (typeof at === "object" && at !== null) delete (at as Json)[last];
  }
  return copy;
}

function withoutOwners(object: RecordedObject): RecordedObject {
  const { managedFields: _entries, ...metadata } = object.metadata as RecordedObject["metadata"] & Json;
  return { ...object, metadata: metadata as RecordedObject["metadata"] };
}

function withOwnersInOrder(object: RecordedObject): RecordedObject {
  return { ...object, metadata: { ...object.metadata, managedFields: ownersOf(object.metadata["managedFields"] as Json[]) } };
}

export function compareObjects(options: ObjectsOptions): string | undefined {
  const { ledger, replacements, rollouts, scenario, step } = options;
  const ours = new Map(
    ledger
      .objects()
      .filter((object) => !UNLISTED.includes(object.kind))
      .map((object) => {
        const normal = normaliseObject(object, replacements);
        return [idOf(normal), normal];
      }),
  );
  const wanted = scenario.steps[step]?.objects ?? [];
  for (const each of wanted) {
    const id = idOf(each);
    const want = each.unchangedSinceStep === undefined ? each : options.recorded(each.unchangedSinceStep, id);
    const got = ours.get(id);
    if (UNLISTED.includes(each.kind) || isMirrored(each)) continue;
    const unstable = unstablePaths(options, each);
    if (want === undefined || unstable.includes("")) continue;
    if (got === undefined) return `${id}: missing`;
    // Only one of the recordings tells of owners.
    const showsOwners = want.metadata["managedFields"] !== undefined;
    const comparable = (object: RecordedObject): RecordedObject => withoutRollout(withoutPaths(masked(object), unstable), rollouts);
    const found = firstDifference(comparable(showsOwners ? got : withoutOwners(got)), comparable(showsOwners ? withOwnersInOrder(want) : want), id);
    if (found !== undefined) return found;
  }
  if (step !== scenario.steps.length - 1) return undefined;
  const names = new Set(wanted.map(idOf));
  const extra = [...ours.values()].find((object) => !names.has(idOf(object)) && !isMirrored(object));
  return extra === undefined ? undefined : `${idOf(extra)}: is there, and is not in the recording`;
}

/** The last value of each condition; those that went otherwise in a second recording are left out. */
export function compareTrace(ledger: Ledger, scenario: Scenario, replacements: Replacements): string | undefined {
  const last = new Map<string, string>();
  const gone = new Set<string>();
  for (const [, kind, name, type, status, reason, message] of scenario.trace) {
    if (type === "ADDED" || type === "DELETED") {
      if (type === "DELETED") gone.add(`${kind} ${name}`);
      continue;
    }
    last.set(`${kind} ${name} ${type}`, `${status} | ${reason} | ${message}`);
  }
  const varies = new Set((scenario.traceVaries ?? []).map(({ kind, name, type }) => `${kind} ${name} ${type}`));
  const ours = new Map([...ledger.conditions].map(([id, value]) => [normaliseText(id, replacements), normaliseText(value, replacements)]));
  for (const [id, want] of last) {
    if (varies.has(id) || [...gone].some((object) => id.startsWith(`${object} `)) || /^(DomainMapping|Certificate) /.test(id)) continue;
    const got = ours.get(id);
    if (got !== want) return `trace ${id}: got ${show(got)}, want ${show(want)}`;
  }
  return undefined;
}

/** Events of programs that are not here. */
const OTHERS: readonly string[] = ["default-scheduler", "kubelet"];
/** Events that tell of a race between two of the real programs, not of a behaviour. */
const RACES: readonly string[] = ["FinalizerUpdateFailed", "UpdateFailed"];

export function compareEvents(scenario: Scenario, its: Pick<ObjectsOptions, "ledger" | "replacements" | "rollouts">): string | undefined {
  const { ledger, replacements, rollouts } = its;
  const line = (event: Json): string => {
    const about = event["involvedObject"] as Json;
    const source = (event["source"] as Json | undefined)?.["component"] ?? event["component"];
    return `${source} ${about["kind"]}/${about["name"]} ${event["type"]} ${event["reason"]} ${event["message"]}`;
  };
  const got = ledger.objects().filter((object) => object.kind === "Event");
  const ours = new Set(got.map((event) => normaliseText(line(event), replacements)));
  const isOurs = (event: RecordedEvent): boolean => !OTHERS.includes(event.component) && !RACES.includes(event.reason) && !tellsOfRollout(event, rollouts);
  const missing = (scenario.steps.at(-1)?.events ?? []).find((event) => isOurs(event) && !ours.has(line(event as unknown as Json)));
  if (missing === undefined) return undefined;
  const near = [...ours].find((text) => text.includes(`${missing.reason} `) && text.startsWith(missing.component));
  return `events: missing ${show(line(missing as unknown as Json))}${near === undefined ? "" : `, nearest ${show(near)}`}`;
}
