// What a kill round records, and the checkers over it: pure, so that faults can be planted in rows of facts.

/** One write of an outside writer, in its order. `value` undefined deletes. */
export interface RecordedWrite {
  readonly key: string;
  readonly value: string | undefined;
  /** `unknown`: the connection broke before the answer; the write may or may not have happened. */
  readonly outcome: "acknowledged" | "unknown" | "rejected";
  /** The resourceVersion that the answer showed; undefined without one. */
  readonly revision?: number;
}

/** A request at the HTTP port that was not answered with 200. */
export interface FailedRequest {
  readonly host: string;
  /** When its connection was opened: one that was kept alive over a kill is dead when the next request takes it. */
  readonly startedMs: number;
  readonly endedMs: number;
  readonly outcome: "refused" | "reset" | "timeout" | { readonly status: number };
}

export interface Traffic {
  readonly answered: number;
  readonly failed: readonly FailedRequest[];
}

/** From the signal to the end of the last process that it takes along. */
export interface Kill {
  readonly sentMs: number;
  readonly deadMs: number;
}

/** A process on this machine that lives in a pod's folder. */
export interface PodProcess {
  readonly pid: number;
  readonly startTime: string;
  readonly podUid: string;
  readonly container: string;
  /** Of the pod, by the process's own environment. */
  readonly revision: string;
}

export interface PodFact {
  readonly uid: string;
  readonly name: string;
  readonly revision: string;
  readonly terminating: boolean;
  /** `process://<pid>-<start time>` of each running container by its status. */
  readonly containers: Readonly<Record<string, string>>;
  /** Restarts of all containers by the status. */
  readonly restarts: number;
}

export interface ServiceFact {
  readonly name: string;
  readonly ready: boolean;
  readonly message: string;
}

/** The platform at rest. */
export interface Snapshot {
  readonly services: readonly ServiceFact[];
  readonly pods: readonly PodFact[];
  /** Wanted pods by revision. */
  readonly wanted: Readonly<Record<string, number>>;
  readonly processes: readonly PodProcess[];
}

/** Every key holds its last acknowledged value, or that of a later write whose answer was lost. */
export function lostWrites(writes: readonly RecordedWrite[], stored: ReadonlyMap<string, string>): string[] {
  const allowed = new Map<string, { value: string | undefined; outcome: RecordedWrite["outcome"] }[]>();
  for (const { key, value, outcome } of writes) {
    if (outcome === "rejected") continue;
    const before = outcome === "acknowledged" ? [] : (allowed.get(key) ?? [{ value: undefined, outcome: "acknowledged" as const }]);
    allowed.set(key, [...before, { value, outcome }]);
  }
  return [...allowed].flatMap(([key, values]) => {
    const found = stored.get(key);
    if (values.some(({ value }) => value === found)) return [];
    return [`lost write: ${key} is ${found ?? "absent"}, acknowledged was ${values[0]?.value ?? "its deletion"}`];
  });
}

/** The revisions that one writer was shown only grow, over all kills. */
export function fallingRevisions(writes: readonly RecordedWrite[]): string[] {
  const shown = writes.filter((write) => write.revision !== undefined);
  return shown.flatMap(({ key, revision = 0 }, index) => {
    const before = shown[index - 1]?.revision ?? 0;
    return revision > before ? [] : [`revision fell: ${key} was answered with ${revision} after ${before}`];
  });
}

/** Whether a kill took the request along: it was under way at some moment of the kill. */
function wasInFlight({ startedMs, endedMs }: FailedRequest, kills: readonly Kill[]): boolean {
  return kills.some(({ sentMs, deadMs }) => startedMs <= deadMs && endedMs >= sentMs);
}

/** Connections that broke because their process was killed: no fault, but counted. */
export function resetsAtKills({ failed }: Traffic, kills: readonly Kill[]): number {
  return failed.filter((request) => request.outcome === "reset" && wasInFlight(request, kills)).length;
}

/** Nothing is refused, nothing hangs, nothing is answered with an error, nothing breaks but what a kill took along. */
export function brokenTraffic(traffic: Traffic, kills: readonly Kill[]): string[] {
  const wrong = traffic.failed.filter((request) => request.outcome !== "reset" || !wasInFlight(request, kills));
  return [
    ...(traffic.answered === 0 ? ["no request was answered: nothing was checked"] : []),
    ...wrong.map(({ host, outcome, startedMs, endedMs }) => {
      const what = typeof outcome === "string" ? outcome : `status ${outcome.status}`;
      return `request to ${host}: ${what} (from ${Math.round(startedMs)} to ${Math.round(endedMs)} ms)`;
    }),
  ];
}

export function unreadyServices({ services }: Snapshot): string[] {
  if (services.length === 0) return ["no Service exists: nothing was checked"];
  return services.filter(({ ready }) => !ready).map(({ name, message }) => `Service ${name} is not ready: ${message}`);
}

export function orphanProcesses({ processes, pods }: Snapshot): string[] {
  const known = new Set(pods.map(({ uid }) => uid));
  return processes.filter(({ podUid }) => !known.has(podUid)).map(({ pid, podUid }) => `orphan: process ${pid} belongs to pod ${podUid}, which does not exist`);
}

/** More pods than a revision wants, or more than one process in a container (the programs of these tests start none). */
export function doubledPods({ pods, wanted, processes }: Snapshot): string[] {
  const revisions = countBy(pods.filter(({ terminating }) => !terminating).map(({ revision }) => revision));
  const containers = countBy(processes.map(({ podUid, container }) => `${podUid}/${container}`));
  return [
    ...[...revisions]
      .filter(([name, count]) => count > (wanted[name] ?? 0))
      .map(([name, count]) => `doubled pod: ${name} has ${count}, wanted ${wanted[name] ?? 0}`),
    ...[...containers].filter(([, count]) => count > 1).map(([id, count]) => `doubled process: ${id} has ${count}`),
  ];
}

/** What a pod's status calls its process is the process that runs. */
export function wrongStatuses({ pods, processes }: Snapshot): string[] {
  const real = new Map(processes.map(({ podUid, container, pid, startTime }) => [`${podUid}/${container}`, `process://${pid}-${startTime}`]));
  return pods
    .filter(({ terminating }) => !terminating)
    .flatMap(({ uid, name, containers }) =>
      Object.entries(containers)
        .filter(([container, id]) => real.get(`${uid}/${container}`) !== id)
        .map(([container, id]) => `wrong status: ${name}/${container} says ${id}, the process is ${real.get(`${uid}/${container}`) ?? "gone"}`),
    );
}

/**
 * A pod that is there before and after has the same process; the pods of `kept` revisions are all still there. Another
 * pod may have been told to end just before the kill and the write that said so be lost: it starts again, and counts that.
 */
export function movedPods(before: Snapshot, after: Snapshot, kept: readonly string[]): string[] {
  const now = new Map(after.processes.map((process) => [`${process.podUid}/${process.container}`, process]));
  const restarts = new Map(before.pods.map((pod) => [pod.uid, pod.restarts]));
  const isRestarted = (pod: PodFact): boolean => !kept.includes(pod.revision) && pod.restarts > (restarts.get(pod.uid) ?? 0);
  const there = new Set(after.pods.map(({ uid }) => uid));
  const stayed = new Set(after.pods.filter((pod) => !pod.terminating && !isRestarted(pod)).map(({ uid }) => uid));
  const keptPods = before.pods.filter(({ revision }) => kept.includes(revision));
  return [
    ...(kept.length > 0 && keptPods.length === 0 ? [`no pod of ${kept.join(", ")} was there: nothing was checked`] : []),
    ...keptPods.filter(({ uid }) => !there.has(uid)).map(({ name }) => `moved pod: ${name} is gone`),
    ...before.processes
      .filter(({ podUid }) => stayed.has(podUid))
      .flatMap(({ podUid, container, pid, startTime }) => {
        const found = now.get(`${podUid}/${container}`);
        if (found?.pid === pid && found.startTime === startTime) return [];
        return [`moved pod: ${podUid}/${container} was process ${pid} and is ${found?.pid ?? "gone"}`];
      }),
  ];
}

function countBy(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
