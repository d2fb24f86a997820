// The verdict of the soak: what it lets pass, and every planted fault that it finds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { judge, type Facts, type Outcome, type PodLine, type SoakKill, type SoakRequest } from "./facts.ts";

const HOST = "app.default.localhost";
let ids = 0;

function request(over: Partial<SoakRequest> = {}): SoakRequest {
  const id = over.id ?? `r${ids++}`;
  const outcome: Outcome = { answered: { id, pid: 10, revision: "app-1" } };
  return { id, kind: "get", host: HOST, port: 5000, openedMs: 0, startedMs: 100, endedMs: 110, sent: true, answerBytes: 200, outcome, ...over };
}
const failed = (how: Extract<Outcome, { failed: unknown }>["failed"], over: Partial<SoakRequest> = {}): SoakRequest =>
  request({ outcome: { failed: how, text: "planted" }, answerBytes: 0, ...over });
const kill = (over: Partial<SoakKill> = {}): SoakKill => ({ what: "platform", pid: 99, fromMs: 105, toMs: 108, heldMs: 106, held: new Set([5000]), ...over });

/** One answered request of each kind, with the lines that its pod wrote. */
function good(): Facts {
  const requests = (["get", "post", "events", "socket"] as const).map((kind) => request({ kind }));
  const pods = requests.flatMap(({ id }): PodLine[] => [
    { what: "start", pid: 10, id },
    { what: "end", pid: 10, id },
  ]);
  return { requests, kills: [], shifts: [{ host: HOST, revisions: ["app-1"], fromMs: 0, readyMs: 10 }], pods };
}

function verdictWith(over: { requests?: SoakRequest[]; kills?: SoakKill[]; shifts?: Facts["shifts"]; pods?: PodLine[] }): ReturnType<typeof judge> {
  const facts = good();
  return judge({
    requests: [...facts.requests, ...(over.requests ?? [])],
    kills: over.kills ?? [],
    shifts: [...facts.shifts, ...(over.shifts ?? [])],
    pods: [...facts.pods, ...(over.pods ?? [])],
  });
}

test("nothing is said about a run without faults", () => {
  assert.deepEqual(judge(good()), { complaints: [], explained: [] });
});

test("a run that checked nothing is no good run", () => {
  assert.equal(judge({ requests: [], kills: [], shifts: [], pods: [] }).complaints.length, 5);
});

const post = failed(502, { id: "p", kind: "post" });
const rows: readonly { name: string; given: Parameters<typeof verdictWith>[0]; complaint?: RegExp; explained?: RegExp }[] = [
  { name: "a request that was dropped while nothing was killed", given: { requests: [failed("reset")] }, complaint: /nothing was killed/ },
  {
    name: "a refused connection, also at a kill",
    given: { requests: [failed("refused", { port: undefined })], kills: [kill()] },
    complaint: /did not hold it/,
  },
  { name: "an error of the gateway at a kill of the platform", given: { requests: [failed(502)], kills: [kill()] }, complaint: /did not hold it/ },
  {
    name: "a connection that the killed platform held",
    given: { requests: [failed("reset")], kills: [kill()] },
    explained: /held by platform 99, killed at 105 ms/,
  },
  {
    name: "a connection that another process held",
    given: { requests: [failed("reset")], kills: [kill({ held: new Set([5001]) })] },
    complaint: /did not hold it/,
  },
  {
    name: "a later connection on the port of one that was held",
    given: { requests: [failed("reset", { openedMs: 107 })], kills: [kill()] },
    complaint: /did not hold it/,
  },
  {
    name: "a connection of another thread",
    given: { requests: [failed("cut")], kills: [kill({ what: "thread", held: new Set() })] },
    complaint: /did not hold it/,
  },
  {
    name: "a kill before the request, on a connection of later",
    given: { requests: [failed("reset", { openedMs: 99 })], kills: [kill({ fromMs: 50, toMs: 60, heldMs: 55 })] },
    complaint: /nothing was killed/,
  },
  {
    name: "a request on a connection that had died just before with the one who held it",
    given: { requests: [failed("reset", { openedMs: 10 })], kills: [kill({ fromMs: 50, toMs: 60, heldMs: 55 })] },
    explained: /held by platform 99/,
  },
  {
    name: "an answer that was begun on such a connection",
    given: { requests: [failed("cut", { openedMs: 10, answerBytes: 9 })], kills: [kill({ fromMs: 50, toMs: 60, heldMs: 55 })] },
    complaint: /nothing was killed/,
  },
  {
    name: "a kill long before the request",
    given: { requests: [failed("reset", { openedMs: 10, startedMs: 5_000, endedMs: 5_001 })], kills: [kill({ fromMs: 50, toMs: 60, heldMs: 55 })] },
    complaint: /nothing was killed/,
  },
  {
    name: "a POST on a pod that was killed",
    given: { requests: [post], kills: [kill({ what: "pod", pid: 10 })], pods: [{ what: "start", pid: 10, id: "p" }] },
    explained: /in flight on pod 10/,
  },
  {
    name: "a POST on another pod than the killed one",
    given: { requests: [post], kills: [kill({ what: "pod", pid: 11 })], pods: [{ what: "start", pid: 10, id: "p" }] },
    complaint: /did not hold it/,
  },
  {
    name: "a GET without a byte of an answer on a pod that was killed",
    given: { requests: [failed(502, { id: "g" })], kills: [kill({ what: "pod", pid: 10 })], pods: [{ what: "start", pid: 10, id: "g" }] },
    complaint: /should have been sent again/,
  },
  {
    name: "a GET that the gateway answered with an error when its pod was killed",
    given: {
      requests: [failed(502, { id: "g", kind: "events", answerBytes: 216 })],
      kills: [kill({ what: "pod", pid: 10 })],
      pods: [{ what: "start", pid: 10, id: "g" }],
    },
    complaint: /should have been sent again/,
  },
  {
    name: "a GET whose answer had begun on a pod that was killed",
    given: {
      requests: [failed("cut", { id: "g", kind: "events", answerBytes: 20 })],
      kills: [kill({ what: "pod", pid: 10 })],
      pods: [{ what: "start", pid: 10, id: "g" }],
    },
    explained: /in flight on pod 10/,
  },
  {
    name: "a POST that was executed twice",
    given: {
      requests: [request({ id: "p", kind: "post" })],
      pods: [
        { what: "start", pid: 10, id: "p" },
        { what: "start", pid: 11, id: "p" },
      ],
    },
    complaint: /executed 2 times, by 10 and 11/,
  },
  {
    name: "a request on a pod that had been told to end",
    given: {
      pods: [
        { what: "term", pid: 10, id: "-" },
        { what: "start", pid: 10, id: "late" },
      ],
    },
    complaint: /late was sent to pod 10, which had been told to end/,
  },
  {
    name: "a request on another pod with the pid of one that had been told to end",
    given: {
      pods: [
        { what: "begin", pid: 10, id: "-" },
        { what: "term", pid: 10, id: "-" },
        { what: "begin", pid: 10, id: "-" },
        { what: "start", pid: 10, id: "fresh" },
      ],
    },
  },
  {
    name: "a request on a pod that had been told to end, with another one's begin",
    given: {
      pods: [
        { what: "begin", pid: 10, id: "-" },
        { what: "term", pid: 10, id: "-" },
        { what: "begin", pid: 11, id: "-" },
        { what: "start", pid: 10, id: "late" },
      ],
    },
    complaint: /late was sent to pod 10, which had been told to end/,
  },
  {
    name: "the answer to another request",
    given: { requests: [request({ id: "a", outcome: { answered: { id: "b", pid: 10, revision: "app-1" } } })] },
    complaint: /the answer to b/,
  },
  {
    name: "a former revision after the shift was Ready",
    given: {
      requests: [request({ host: "shifted" })],
      shifts: [
        { host: "shifted", revisions: ["app-1"], fromMs: 0, readyMs: 10 },
        { host: "shifted", revisions: ["app-2"], fromMs: 50, readyMs: 90 },
      ],
    },
    complaint: /answered by app-1, allowed were app-2/,
  },
  {
    name: "a former revision while the shift was not Ready",
    given: { requests: [request()], shifts: [{ host: HOST, revisions: ["app-2"], fromMs: 95, readyMs: 105 }] },
  },
  {
    name: "the next revision before anybody asked for it",
    given: {
      requests: [request({ id: "n", outcome: { answered: { id: "n", pid: 10, revision: "app-2" } } })],
      shifts: [{ host: HOST, revisions: ["app-2"], fromMs: 120, readyMs: undefined }],
    },
    complaint: /allowed were app-1/,
  },
];
for (const { name, given, complaint, explained } of rows) {
  test(`${complaint === undefined ? "let pass" : "complained about"}: ${name}`, () => {
    const verdict = verdictWith(given);
    assert.equal(verdict.complaints.length, complaint === undefined ? 0 : 1, verdict.complaints.join("\n"));
    if (complaint !== undefined) assert.match(verdict.complaints[0] ?? "", complaint);
    assert.equal(verdict.explained.length, explained === undefined ? 0 : 1);
    if (explained !== undefined) assert.match(verdict.explained[0] ?? "", explained);
  });
}
