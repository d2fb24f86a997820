// Differences of two scenarios' answers, as paths with what stands there on both sides.
import { isDeepStrictEqual } from "node:util";
import type { Part, Step } from "./corpus.ts";
import type { Normal } from "./normalise.ts";
import { valueAt } from "./replay.ts";

export interface Difference {
  /** Step and path, e.g. `3.body.metadata.labels[a.b]`. */
  readonly at: string;
  readonly real: unknown;
  readonly ours: unknown;
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null && !Array.isArray(value);

const member = (at: string, key: string): string => (/[.[\]]/.test(key) ? `${at}[${key}]` : `${at}.${key}`);

function* differences(real: unknown, ours: unknown, at: string): Generator<Difference> {
  if (isDeepStrictEqual(real, ours)) return;
  if (Array.isArray(real) && Array.isArray(ours)) {
    for (let index = 0; index < Math.max(real.length, ours.length); index++) yield* differences(real[index], ours[index], `${at}[${index}]`);
  } else if (isRecord(real) && isRecord(ours)) {
    for (const key of new Set([...Object.keys(real), ...Object.keys(ours)].sort())) yield* differences(real[key], ours[key], member(at, key));
  } else yield { at, real, ours };
}

/** kube-apiserver tells the managers of a conflict in an order of chance; what it tells of each keeps its order. */
function withSortedManagers(body: unknown): unknown {
  if (!isRecord(body) || body["reason"] !== "Conflict" || !isRecord(body["details"]) || !Array.isArray(body["details"]["causes"])) return body;
  const causes = body["details"]["causes"] as { readonly message?: string }[];
  const sorted = causes.toSorted(({ message: a = "" }, { message: b = "" }) => (a < b ? -1 : a > b ? 1 : 0));
  return { ...body, details: { ...body["details"], causes: sorted } };
}

function compared(step: Step, answer: Normal): Record<string, unknown> {
  const parts: readonly Part[] = step.compare ?? ["code", "headers", "body", "events"];
  const { status, headers, body, events, ended } = answer;
  const picked = step.pick === undefined ? withSortedManagers(body) : Object.fromEntries(step.pick.map((path) => [path, valueAt(body, path)]));
  return {
    ...(parts.includes("code") ? { code: status } : {}),
    ...(parts.includes("headers") ? { headers } : {}),
    ...(parts.includes("body") ? { body: picked } : {}),
    ...(parts.includes("events") ? { events, ended } : {}),
  };
}

/** All differences, in the order of the steps; none when the servers cannot be told apart. */
export function compareAnswers(steps: readonly Step[], real: readonly Normal[], ours: readonly Normal[]): readonly Difference[] {
  return steps.flatMap((step, index) => {
    const [theirs, own] = [real[index], ours[index]];
    if (theirs === undefined || own === undefined) return [{ at: `${index}`, real: theirs, ours: own }];
    return [...differences(compared(step, theirs), compared(step, own), String(index))];
  });
}

/** What a recording has to keep of an answer: what is compared. */
export function recordable(steps: readonly Step[], answers: readonly Normal[]): readonly Normal[] {
  return answers.map((answer, index) => {
    const { pick, compare } = steps[index] ?? {};
    const wants = (part: Part): boolean => compare === undefined || compare.includes(part);
    const { body, headers, events, ...rest } = answer;
    const kept = pick === undefined ? body : pickedTree(body, pick);
    return {
      ...rest,
      ...(wants("headers") && headers !== undefined ? { headers } : {}),
      ...(wants("body") && kept !== undefined ? { body: kept } : {}),
      ...(wants("events") && events !== undefined ? { events } : {}),
    };
  });
}

/** The same tree with nothing but what lies at the paths; lists become objects by index, which reads the same. */
function pickedTree(body: unknown, paths: readonly string[]): unknown {
  const tree: Record<string, unknown> = {};
  for (const path of paths) {
    const value = valueAt(body, path);
    if (value === undefined) continue;
    let at = tree;
    const keys = [...path.matchAll(/([^.[\]]+)|\[([^\]]+)\]/g)].map(([, key, bracketed]) => key ?? bracketed ?? "");
    for (const key of keys.slice(0, -1)) at = (at[key] ??= {}) as Record<string, unknown>;
    at[keys.at(-1) ?? ""] = value;
  }
  return tree;
}
