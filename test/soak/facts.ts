// What a soak records, and the verdict over it: pure, from facts alone, so that faults can be planted in rows of them.

export type Kind = "get" | "post" | "events" | "socket";

/** What became of a request. `cut`: the answer had begun; `reset`: it had not. */
export type Outcome =
  | { readonly answered: { readonly id: string; readonly pid: number; readonly revision: string } }
  | { readonly failed: "refused" | "reset" | "cut" | "timeout" | "garbled" | number; readonly text: string };

export interface SoakRequest {
  readonly id: string;
  readonly kind: Kind;
  readonly host: string;
  /** Of the client's side; undefined when there was no connection. */
  readonly port: number | undefined;
  /** When the client began to open the connection, perhaps for an earlier request. */
  readonly openedMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
  /** All of it was handed to the kernel. */
  readonly sent: boolean;
  readonly answerBytes: number;
  readonly outcome: Outcome;
}

export interface SoakKill {
  readonly what: "platform" | "keeper" | "thread" | "pod";
  readonly pid: number;
  /** From just before the signal to the end of all that died of it. */
  readonly fromMs: number;
  readonly toMs: number;
  /** Ports of the clients whose connections the victim held when it died, as seen at `heldMs`: it did nothing any more. */
  readonly held: ReadonlySet<number>;
  readonly heldMs: number;
}

/** A change of which revisions may answer for a host. */
export interface Shift {
  readonly host: string;
  readonly revisions: readonly string[];
  /** Just before the first attempt to write it. */
  readonly fromMs: number;
  /** When it was seen to be Ready; undefined: never. */
  readonly readyMs: number | undefined;
}

/** A line of the pods' common log, in its order. */
export interface PodLine {
  /** `begin`: the program itself; `start` and `end`: a request; `term`: it was told to end. */
  readonly what: "begin" | "start" | "end" | "term";
  readonly pid: number;
  readonly id: string;
}

export interface Facts {
  readonly requests: readonly SoakRequest[];
  readonly kills: readonly SoakKill[];
  readonly shifts: readonly Shift[];
  readonly pods: readonly PodLine[];
}

/** A client reads of the end of its connection so late at most. */
const HEARD_MS = 1_000;

export interface Verdict {
  readonly complaints: readonly string[];
  /** Failed requests that were in flight on something that was killed and may not be retried, each with its cause. */
  readonly explained: readonly string[];
}

export function judge(facts: Facts): Verdict {
  const complaints = [...nothingChecked(facts), ...doubled(facts), ...toLeavingPods(facts)];
  const explained: string[] = [];
  const begun = startsOf(facts.pods);
  for (const request of facts.requests) {
    if ("answered" in request.outcome) complaints.push(...wrongAnswer(request, request.outcome.answered, facts.shifts));
    else {
      const { cause, wrong } = causeOf(request, facts.kills, begun);
      if (wrong === undefined) explained.push(`${describe(request)}: ${cause ?? ""}`);
      else complaints.push(`${describe(request)}: ${wrong}`);
    }
  }
  return { complaints, explained };
}

function nothingChecked({ requests, pods }: Facts): string[] {
  const answered = requests.filter(({ outcome }) => "answered" in outcome);
  const kinds = new Set(answered.map(({ kind }) => kind));
  return [
    ...(["get", "post", "events", "socket"] as const).filter((kind) => !kinds.has(kind)).map((kind) => `no ${kind} was answered: nothing was checked`),
    ...(pods.length === 0 ? ["the pods wrote nothing down: nothing was checked"] : []),
  ];
}

/** A request that may not be executed twice was. */
function doubled({ requests, pods }: Facts): string[] {
  const starts = startsOf(pods);
  return requests
    .filter(({ kind }) => kind === "post" || kind === "socket")
    .flatMap((request) => {
      const pids = starts.get(request.id) ?? [];
      return pids.length > 1 ? [`${describe(request)}: executed ${pids.length} times, by ${pids.join(" and ")}`] : [];
    });
}

/** Requests that began on a pod after it was told to end. In half an hour the system comes to use a pid once more: that is another pod. */
function toLeavingPods({ pods }: Facts): string[] {
  const leaving = new Set<number>();
  return pods.flatMap(({ what, pid, id }) => {
    if (what === "begin") leaving.delete(pid);
    if (what === "term") leaving.add(pid);
    return what === "start" && leaving.has(pid) ? [`request ${id} was sent to pod ${pid}, which had been told to end`] : [];
  });
}

function startsOf(pods: readonly PodLine[]): Map<string, number[]> {
  const starts = new Map<string, number[]>();
  for (const { what, pid, id } of pods) if (what === "start") starts.set(id, [...(starts.get(id) ?? []), pid]);
  return starts;
}

function wrongAnswer(
  request: SoakRequest,
  answered: { readonly id: string; readonly pid: number; readonly revision: string },
  shifts: readonly Shift[],
): string[] {
  if (answered.id !== request.id) return [`${describe(request)}: answered with the answer to ${answered.id}`];
  const allowed = allowedRevisions(request, shifts);
  return allowed.includes(answered.revision) ? [] : [`${describe(request)}: answered by ${answered.revision}, allowed were ${allowed.join(", ")}`];
}

/** Those of the last shift that was Ready before the request began, and of all that were begun after it until the answer. */
function allowedRevisions({ host, startedMs, endedMs }: SoakRequest, shifts: readonly Shift[]): string[] {
  const its = shifts.filter((shift) => shift.host === host && shift.fromMs <= endedMs);
  const settled = its.findLastIndex(({ readyMs }) => readyMs !== undefined && readyMs <= startedMs);
  return its.slice(Math.max(0, settled)).flatMap(({ revisions }) => revisions);
}

/** A client on a busy machine may send on a connection that died with the one who held it, before it reads of that: nobody can have seen the request. */
function heardLate({ startedMs, answerBytes }: SoakRequest, kills: readonly SoakKill[]): readonly SoakKill[] {
  return answerBytes > 0 ? [] : kills.filter(({ toMs }) => startedMs > toMs && startedMs <= toMs + HEARD_MS);
}

/** Why a request failed: what died under it, or what is wrong. */
function causeOf(
  request: SoakRequest,
  kills: readonly SoakKill[],
  begun: ReadonlyMap<string, readonly number[]>,
): { readonly cause?: string; readonly wrong?: string } {
  const { failed } = request.outcome as Extract<Outcome, { failed: unknown }>;
  const during = kills.filter(({ fromMs, toMs }) => request.startedMs <= toMs && request.endedMs >= fromMs);
  const gateway = [...during, ...heardLate(request, kills)].find(
    ({ what, held, heldMs }) => what !== "pod" && request.port !== undefined && held.has(request.port) && request.openedMs <= heldMs,
  );
  if (gateway !== undefined && (failed === "reset" || failed === "cut")) return { cause: `its connection was held by ${named(gateway)}` };
  const pod = during.find(({ what, pid }) => what === "pod" && (begun.get(request.id)?.includes(pid) === true || !begun.has(request.id)));
  if (pod === undefined) return { wrong: during.length === 0 ? "nothing was killed" : "what was killed did not hold it" };
  if (failed === "refused" || failed === "timeout" || failed === "garbled") return { wrong: "the death of a pod may not do this" };
  const retryable = request.kind === "get" || request.kind === "events";
  // An error of the gateway is no answer of the pod.
  if (retryable && failed !== "cut") return { wrong: `it should have been sent again after the death of ${named(pod)}` };
  return { cause: `it was in flight on ${named(pod)}` };
}

function named({ what, pid, fromMs }: SoakKill): string {
  return `${what} ${pid}, killed at ${Math.round(fromMs)} ms`;
}

/** The request with all that decides over it. */
export function describe({ id, kind, host, port, startedMs, endedMs, sent, answerBytes, outcome }: SoakRequest): string {
  const what = "answered" in outcome ? `answered by pod ${outcome.answered.pid}` : `${outcome.failed} (${outcome.text})`;
  return `${kind} ${id} to ${host} on connection ${port ?? "-"}, ${Math.round(startedMs)}-${Math.round(endedMs)} ms, ${sent ? "sent" : "not sent"}, ${answerBytes} bytes of an answer: ${what}`;
}
