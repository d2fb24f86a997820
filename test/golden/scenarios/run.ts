// Runs one recorded scenario against our control plane and tells the first difference.
import { compareEvents, compareObjects, compareResponse, compareTrace, type Answer } from "./compare.ts";
import { compareKn } from "./kn.ts";
import { kindName } from "./ledger.ts";
import { normaliseValue, replacementsOf, withLivingPodsFirst } from "./normalise.ts";
import type { Harness } from "./harness.ts";
import { queueProxyRollouts } from "./queue-proxy-rollouts.ts";
import type { Json, RecordedObject, RecordedStep, Scenario } from "./recording.ts";

/** Paths that nobody serves are answered with plain text. */
function bodyOf(text: string): Json {
  return text.startsWith("{") ? (JSON.parse(text) as Json) : { kind: "Status", message: text };
}

/** One recorded request, sent to the API server as it is. */
export async function send({ server }: Pick<Harness, "server">, { method, path, contentType, body }: NonNullable<RecordedStep["request"]>): Promise<Answer> {
  const response = await server.handle({
    method,
    target: path,
    headers: { accept: "application/json", "user-agent": "golden/1", ...(contentType === undefined ? {} : { "content-type": contentType }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  let text = "";
  if (typeof response.body === "string") text = response.body;
  else if (response.body instanceof Uint8Array) text = Buffer.from(response.body).toString();
  else for await (const piece of response.body) text += typeof piece === "string" ? piece : Buffer.from(piece).toString();
  const warnings = response.headers["warning"] ?? [];
  return { code: response.status, warnings: typeof warnings === "string" ? [warnings] : warnings, body: bodyOf(text) };
}

/** `Revision hello-00001 Ready=False` or `Route hello gives all traffic to hello-00002`. */
function holds(harness: Harness, until: string): boolean {
  const [, route, revision] = /^Route (\S+) gives all traffic to (\S+)$/.exec(until) ?? [];
  if (route !== undefined) {
    const found = harness.ledger.objects().find((object) => object.kind === "Route" && object.metadata.name === route);
    const { traffic = [] } = (found?.["status"] ?? {}) as { readonly traffic?: readonly { readonly revisionName?: string; readonly percent?: number }[] };
    return traffic.length === 1 && traffic[0]?.revisionName === revision && traffic[0]?.percent === 100;
  }
  const [, kind = "", name = "", type = "", status = ""] = /^(\w+) (\S+) (\w+)=(\w+)$/.exec(until) ?? [];
  return type !== "" && harness.ledger.condition(kind, name, type) === status;
}

async function act(harness: Harness, step: RecordedStep, namespace: string): Promise<Answer | undefined> {
  if (step.request !== undefined) return send(harness, step.request);
  if (step.op === "sim") await harness.simulate(namespace, step.set ?? {});
  if (step.op === "wait" && step.until !== undefined && step.until !== "") await harness.waitFor(() => holds(harness, step.until ?? ""));
  else if (step.op === "wait") await harness.advance((step.seconds ?? 1) * 1000);
  return undefined;
}

export interface RunOptions {
  /** Which steps on the way Events tell of is left open, as delays merge and repeat them. */
  readonly withoutEvents?: boolean;
}

/** The first difference from the recording, or undefined when all is equal. */
export async function runScenario(recording: Scenario, harness: Harness, options: RunOptions = {}): Promise<string | undefined> {
  const normal = normaliseValue(recording, []) as Scenario;
  const scenario = { ...normal, steps: normal.steps.map(withLivingPodsFirst) };
  const recorded = (step: number, id: string): RecordedObject | undefined => {
    for (let at = step; at >= 0; at--) {
      const found = scenario.steps[at]?.objects?.find((object) => `${kindName(object)}/${object.metadata.name}` === id);
      if (found?.unchangedSinceStep !== undefined) return recorded(found.unchangedSinceStep, id);
      if (found !== undefined) return found;
    }
    return undefined;
  };
  const { ledger } = harness;
  const rollouts = queueProxyRollouts(scenario);
  for (const [index, step] of scenario.steps.entries()) {
    const where = (difference: string): string => `step ${index} (${step.name}) ${difference}`;
    const ran = step.op === "kn" ? await compareKn(harness, step) : undefined;
    if (ran !== undefined) return where(ran);
    const answer = await act(harness, step, scenario.namespace);
    const answered = answer === undefined ? undefined : compareResponse(answer, step.response, replacementsOf(ledger));
    if (answered !== undefined) return where(`response ${answered}`);
    await harness.settle();
    const replacements = replacementsOf(ledger);
    const found = compareObjects({ ledger, replacements, rollouts, scenario, step: index, recorded });
    if (found !== undefined) return where(found);
  }
  const replacements = replacementsOf(ledger);
  const traced = compareTrace(ledger, scenario, replacements);
  return traced ?? (options.withoutEvents === true ? undefined : compareEvents(scenario, { ledger, replacements, rollouts }));
}
