// What the corpus consists of: how many requests of each sort, and which kinds they are about.
import type { Scenario, Step } from "./corpus.ts";
import type { Normal } from "./normalise.ts";

export interface Counts {
  readonly requests: number;
  /** Server-side apply, and what is about owners of fields. */
  readonly applies: number;
  readonly otherPatches: number;
  readonly rejections: number;
  readonly watches: number;
  readonly definitions: number;
  readonly kinds: number;
}

const resourceOf = (request: string): string | undefined =>
  /^\w+ \/(?:api\/v1|apis\/([^/]+)\/[^/]+)\/(?:namespaces\/[^/?]+\/(?=[a-z]+(?:[/?]|$)))?([a-z]+)(?:[/?]|$)/.exec(request)?.slice(1).join("/");

const isApply = ({ patch, headers }: Step): boolean => patch === "apply" || Object.values(headers ?? {}).some((value) => value.includes("apply-patch"));
const isPatch = ({ request = "" }: Step): boolean => request.startsWith("PATCH ");
const isWatch = ({ request = "", watch, open, read }: Step): boolean =>
  watch !== undefined || open !== undefined || read !== undefined || /[?&]watch=(true|1)/.test(request);

/** Counted by what is asked and what the real server answered to it; a step may count in several ways. */
export function countsOf(corpus: readonly Scenario[], answersOf: (scenario: Scenario) => readonly Normal[]): Counts {
  const steps = corpus.flatMap((scenario) => scenario.steps.map((step, index) => ({ scenario, step, answer: answersOf(scenario)[index] })));
  const count = (holds: (one: (typeof steps)[number]) => boolean): number => steps.filter(holds).length;
  const made = steps.filter(({ answer }) => answer?.status === 200 || answer?.status === 201);
  return {
    requests: count(({ step }) => step.compact !== true),
    applies: count(({ scenario, step }) => scenario.area === "apply" || isApply(step)),
    otherPatches: count(({ step }) => isPatch(step) && !isApply(step)),
    rejections: count(({ answer }) => (answer?.status ?? 0) >= 400),
    watches: count(({ step }) => isWatch(step)),
    definitions: count(({ scenario, step }) => scenario.area === "crd" || (step.request ?? "").includes("customresourcedefinitions")),
    kinds: new Set(made.flatMap(({ step }) => resourceOf(step.request ?? "") ?? [])).size,
  };
}
