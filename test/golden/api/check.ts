// Replays the recordings of golden/kubernetes-api on our API server, file by file.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { compareAnswers } from "../../oracle/compare.ts";
import { normalised, type Normal } from "../../oracle/normalise.ts";
import { bootOurs, type OurServer } from "../../oracle/own-server.ts";
import { replay, valueAt, type Raw } from "../../oracle/replay.ts";
import { REQUESTS, type Asked } from "./requests.ts";

export interface FileResult {
  readonly name: string;
  readonly verdict: "equal" | "differs" | "skipped";
  readonly text: string;
}

type Json = Record<string, unknown>;

/** Some time after the recordings were made. */
const STARTED_WALL_MS = Date.UTC(2026, 10, 22);

/** Headers that depend on the connection or that the recorder left out. */
const HEADERS_COMPARED = ["content-type", "warning", "retry-after"];

/** A folder of these recordings has a file of headers beside each answer. */
export function holdsResponses(folder: string): boolean {
  return readdirSync(folder).some((file) => file.endsWith(".headers"));
}

/** The recorded answer in the form of a replayed one. */
function recorded(folder: string, file: string): Raw {
  const bytes = readFileSync(join(folder, file));
  const [first = "", ...lines] = readFileSync(join(folder, `${file}.headers`), "utf8").split(/\r?\n/);
  const headers = Object.fromEntries(lines.map((line) => line.split(/: (.*)/s)).map(([name = "", value = ""]) => [name, value]));
  const head = { status: Number(first.split(" ")[1]), headers };
  if (!file.endsWith(".jsonl")) return { ...head, body: bytes };
  const frames = bytes
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  return { ...head, frames: frames.map((line) => Buffer.from(line)) };
}

/** Puts the objects that a recorded stream brought into the store, each once, in the order of their keys. */
async function seed({ store }: OurServer, folder: string, file: string): Promise<void> {
  const lines = readFileSync(join(folder, file), "utf8")
    .split("\n")
    .filter((line) => line !== "");
  const added = lines.map((line) => JSON.parse(line) as { type: string; object: Json & { metadata: Json } }).filter(({ type }) => type === "ADDED");
  for (const { object } of added) {
    const { apiVersion, kind, metadata, ...rest } = object;
    const [group = "", plural = ""] = kind === "Pod" ? ["core", "pods"] : [String(apiVersion).split("/")[0], "services"];
    await store.put({
      key: `/${group}/${plural}/${String(metadata["namespace"])}/${String(metadata["name"])}`,
      expect: "absent",
      durability: "rebuildable",
      encode: (revision) => {
        const head = group === "core" ? { kind, apiVersion } : { apiVersion, kind };
        return JSON.stringify({ ...head, metadata: { ...metadata, resourceVersion: String(revision) }, ...rest });
      },
    });
  }
}

/** Of a thing in a discovery document; the one group without a name has the empty one. */
function nameIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { name, groupVersion, version, resource, subresource, versions, metadata } = value as Json;
  const found =
    name ?? groupVersion ?? version ?? resource ?? subresource ?? (metadata as Json | undefined)?.["name"] ?? (versions === undefined ? undefined : "");
  return typeof found === "string" ? found : undefined;
}

/** Custom resources stand in the order in which their definitions came, which is chance. */
function sortedResources(body: unknown): unknown {
  const { resources, groupVersion } = body as { resources?: unknown[]; groupVersion?: string };
  if (resources === undefined || groupVersion?.includes(".knative.") !== true) return body;
  return { ...(body as Json), resources: [...resources].sort((a, b) => ((nameIn(a) ?? "") < (nameIn(b) ?? "") ? -1 : 1)) };
}

/** What of the recorded document is about what we serve, too: lists of things with names lose those that we do not have. */
function ofServed(theirs: unknown, ours: unknown): unknown {
  if (Array.isArray(theirs) && Array.isArray(ours) && theirs.every((item) => nameIn(item) !== undefined)) {
    return theirs.flatMap((item) => {
      const own = ours.find((one) => nameIn(one) === nameIn(item));
      return own === undefined ? [] : [ofServed(item, own)];
    });
  }
  if (typeof theirs !== "object" || theirs === null || Array.isArray(theirs) || typeof ours !== "object" || ours === null) return theirs;
  const members = Object.entries(theirs).map(([key, value]) => [key, ofServed(value, (ours as Json)[key])] as const);
  // Where we have none of several things, the list of them is not there.
  return Object.fromEntries(members.filter(([key, value]) => key in ours || !(Array.isArray(value) && value.every((item) => nameIn(item) !== undefined))));
}

/** A Status whose causes came in an order that is chance. */
function unordered(body: unknown): unknown {
  const { details, message: _, ...rest } = body as { details: { causes: unknown[] }; message: string };
  const texts = details.causes.map((cause) => JSON.stringify(cause));
  return { ...rest, details: { ...details, causes: texts.sort() } };
}

function reduced({ body, ...rest }: Normal, { only }: Asked, other: Normal): Normal {
  if (only === undefined) return { ...rest, body };
  if (only === "columns")
    return { ...rest, body: { columnDefinitions: valueAt(body, "columnDefinitions"), kind: valueAt(body, "kind"), apiVersion: valueAt(body, "apiVersion") } };
  if (only === "served") return { ...rest, body: sortedResources(ofServed(body, other.body)) };
  if (only === "any order") return { ...rest, body: unordered(body) };
  return { ...rest, body: Object.fromEntries(only.map((path) => [path, valueAt(body, path)])) };
}

function comparable({ status, headers = {}, body, events }: Normal): Normal {
  return {
    status,
    body,
    ...(events === undefined ? {} : { events }),
    headers: Object.fromEntries(Object.entries(headers).filter(([name]) => HEADERS_COMPARED.includes(name))),
  };
}

/** Requests that leave nothing behind share a server. */
function leavesNothing(file: string, { steps, objectsOf }: Asked): boolean {
  return steps.length === 1 && objectsOf === undefined && /^(err|disc|table|version)/.test(file);
}

async function checkFile(folder: string, file: string, { asked, server }: { readonly asked: Asked; readonly server: OurServer }): Promise<string | undefined> {
  if (asked.objectsOf !== undefined) await seed(server, folder, asked.objectsOf);
  const raws = await replay({ name: file, steps: asked.steps }, server, "default");
  const [theirs] = normalised([recorded(folder, file)], "default");
  const [ours] = normalised(raws.slice(-1), "default");
  if (theirs === undefined || ours === undefined) return "no answer";
  const [first] = compareAnswers([{}], [comparable(reduced(theirs, asked, ours))], [comparable(reduced(ours, asked, theirs))]);
  return first === undefined ? undefined : `${first.at.slice(1)}: got ${JSON.stringify(first.ours)}, recorded ${JSON.stringify(first.real)}`;
}

/** One result a recorded answer of the folder; a file that nobody knows the request of differs. */
export async function* checkResponses(folder: string): AsyncGenerator<FileResult> {
  const shared = await bootOurs(STARTED_WALL_MS);
  try {
    for (const name of readdirSync(folder).sort()) {
      if (existsSync(join(folder, `${name}.headers`))) yield await resultOf(folder, name, shared);
    }
  } finally {
    await shared.close();
  }
}

async function resultOf(folder: string, name: string, shared: OurServer): Promise<FileResult> {
  const asked = REQUESTS[name];
  if (asked === undefined) return { name, verdict: "differs", text: "nobody has written down what was asked: test/golden/api/requests.ts" };
  if ("skipped" in asked) return { name, verdict: "skipped", text: asked.skipped };
  const server = leavesNothing(name, asked) ? shared : await bootOurs(STARTED_WALL_MS);
  try {
    const difference = await checkFile(folder, name, { asked, server }).catch((error: unknown) => String(error));
    return { name, verdict: difference === undefined ? "equal" : "differs", text: difference ?? "" };
  } finally {
    if (server !== shared) await server.close();
  }
}
