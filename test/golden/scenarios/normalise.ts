// Makes what varies from run to run equal, as the recordings do (golden/serving/README.md, "Normalisation").
import { sortKeys } from "#schema";
import type { Ledger } from "./ledger.ts";
import type { Json, RecordedObject, RecordedStep } from "./recording.ts";

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
const POD_NAME = /((?:[a-z0-9.-]|<hash>)+)-<pod(\d+)>/g;
const HASHED: readonly string[] = ["Deployment", "ReplicaSet", "Pod", "Endpoints", "EndpointSlice"];

/** Replacements of texts, longest first, so that no name is replaced inside a longer one. */
export type Replacements = readonly (readonly [string, string])[];

const suffixOf = (name: string, prefix: string): string => name.slice(prefix.length + 1);

/** Numbers of hashes, pods and slices follow the order in which they were made under their parent. */
export function replacementsOf(ledger: Ledger): Replacements {
  const found: [string, string][] = [];
  const counts = new Map<string, number>();
  const next = (parent: string): number => {
    const count = (counts.get(parent) ?? 0) + 1;
    counts.set(parent, count);
    return count;
  };
  const hashes = new Map<string, string>();
  for (const { metadata } of ledger.made.get("ReplicaSet") ?? []) {
    const hash = (metadata["labels"] as Readonly<Record<string, string>> | undefined)?.["pod-template-hash"] ?? "";
    const parent = metadata.name.slice(0, -hash.length - 1);
    hashes.set(metadata.name, `${parent}-<hash${next(parent)}>`);
    found.push([metadata.name, hashes.get(metadata.name) ?? ""], [hash, `<hash${counts.get(parent)}>`]);
  }
  const living = new Set(ledger.objects().map(({ metadata }) => metadata["uid"]));
  const pods = ledger.made.get("Pod") ?? [];
  const livingFirst = [...pods.filter(({ metadata }) => living.has(metadata["uid"])), ...pods.filter(({ metadata }) => !living.has(metadata["uid"]))];
  for (const { metadata, ...rest } of livingFirst) {
    const owner = metadata.name.replace(/-[^-]*$/, "");
    const name = `${hashes.get(owner) ?? owner}-<pod${next(owner)}>`;
    found.push([metadata.name, name], [suffixOf(metadata.name, owner), `<pod${counts.get(owner)}>`]);
    const ip = ((rest as Json)["status"] as Json | undefined)?.["podIP"];
    if (typeof ip === "string") found.push([ip, `<podIP:${name}>`]);
  }
  for (const { metadata } of ledger.made.get("EndpointSlice") ?? []) {
    // The recordings number whatever follows the last dash, also where a long name was cut.
    const parent = metadata.name.replace(/-[^-]*$/, "");
    found.push([metadata.name, `${parent}-<slice${next(`slice ${parent}`)}>`]);
  }
  for (const { apiVersion, metadata } of ledger.made.get("Service") ?? []) {
    const prefix = metadata["generateName"];
    if (typeof prefix === "string" && apiVersion !== "v1") found.push([metadata.name, `${prefix}<rand>`]);
  }
  for (const object of ledger.objects()) {
    const ip = (object["spec"] as Json | undefined)?.["clusterIP"];
    if (object.kind === "Service" && typeof ip === "string" && ip !== "None" && ip !== "") found.push([ip, `<clusterIP:${object.metadata.name}>`]);
    const podIP = (object["status"] as Json | undefined)?.["podIP"];
    if (object.kind === "Pod" && typeof podIP === "string") found.push([podIP, `<podIP:${found.find(([name]) => name === object.metadata.name)?.[1] ?? ""}>`]);
  }
  const names = found.filter(([from]) => from !== "").sort(([a], [b]) => b.length - a.length);
  const uids = [...ledger.uids].map(([uid, text]): [string, string] => [uid, normaliseText(text, names)]);
  return [...names, ...uids];
}

export function normaliseText(text: string, replacements: Replacements): string {
  if (TIME.test(text)) return "<time>";
  let result = text;
  for (const [from, to] of replacements) if (result.includes(from)) result = result.replaceAll(from, to);
  return withoutNumbers(result);
}

/** Which hash came first cannot be told from a recording, so they count as one. */
export function withoutNumbers(text: string): string {
  return text.replaceAll(/<hash\d+>/g, "<hash>");
}

/** Which of several equal pods goes is chance, so those that live count first: the recorded step with such numbers. */
export function withLivingPodsFirst(step: RecordedStep): RecordedStep {
  const numbers = new Map<string, Set<string>>();
  const text = JSON.stringify(step);
  const seen = (name: string): void => {
    const [, parent = "", number = ""] = /^(.*)-<pod(\d+)>$/.exec(name) ?? [];
    numbers.set(parent, (numbers.get(parent) ?? new Set()).add(number));
  };
  for (const { kind, metadata } of step.objects ?? []) if (kind === "Pod") seen(metadata.name);
  for (const [name] of text.matchAll(POD_NAME)) seen(name);
  const renumbered = text.replaceAll(POD_NAME, (name, parent: string, number: string) => {
    const place = [...(numbers.get(parent) ?? [])].indexOf(number);
    return place < 0 ? name : `${parent}-<pod${place + 1}>`;
  });
  return JSON.parse(renumbered) as RecordedStep;
}

export function normaliseValue(value: unknown, replacements: Replacements): unknown {
  if (typeof value === "string") return normaliseText(value, replacements);
  if (Array.isArray(value)) return value.map((item) => normaliseValue(item, replacements));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [normaliseText(key, replacements), normaliseValue(member, replacements)]));
}

const bySort = (value: unknown): string => JSON.stringify(value);

function sortedList(value: unknown): unknown {
  return Array.isArray(value) ? [...value].sort((a, b) => (bySort(a) < bySort(b) ? -1 : 1)) : value;
}

/** Who owns what, without the times; the recordings have them in an order of their own. */
export function ownersOf(entries: readonly Json[]): unknown {
  return sortedList(entries.map(({ time: _time, ...entry }) => sortKeys(entry)));
}

/** An object of ours in the form of the recordings. */
export function normaliseObject(object: RecordedObject, replacements: Replacements): RecordedObject {
  const normal = normaliseValue(object, replacements) as RecordedObject & { metadata: Json; spec?: Json; status?: Json };
  const { resourceVersion: _version, managedFields, ...metadata } = normal.metadata;
  if (Array.isArray(managedFields)) metadata["managedFields"] = ownersOf(managedFields as Json[]);
  const labels = metadata["labels"] as Json | undefined;
  if (labels?.["serving.knative.dev/deployment-hash"] !== undefined) labels["serving.knative.dev/deployment-hash"] = "<deployment-hash>";
  const annotations = metadata["annotations"] as Json | undefined;
  delete annotations?.["kubectl.kubernetes.io/last-applied-configuration"];
  if (HASHED.includes(normal.kind)) delete metadata["generation"];
  if (normal.kind === "Deployment" || normal.kind === "ReplicaSet") delete normal.status?.["observedGeneration"];
  if (normal.kind === "Deployment" && normal.status !== undefined) normal.status["conditions"] = sortedList(normal.status["conditions"]);
  if (normal.kind === "Deployment" && normal.status?.["conditions"] === undefined) delete normal.status?.["conditions"];
  return { ...normal, metadata: metadata as RecordedObject["metadata"] };
}
