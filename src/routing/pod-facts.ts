// What routing remembers of a Pod.
import { hasEnded, serving, type Pod } from "#kinds";

/** The runtime's record of where container ports are reachable: a JSON object, containerPort → "host:port". */
const ADDRESSES = "eider.dev/addresses";

export interface PodFacts {
  readonly uid: string;
  /** Key of its revision. */
  readonly backend: string;
  /** `ready`: its Ready condition holds. `running`: its process runs or is just being started. `out`: not there yet, ending or ended. */
  readonly state: "ready" | "running" | "out";
  /** Text of the annotation; undefined while there is none. */
  readonly addresses: string | undefined;
  readonly podIP: string | undefined;
}

/** Undefined for pods of no revision. */
export function podFacts(pod: Pod): PodFacts | undefined {
  const revision = pod.metadata.labels?.[serving.revision];
  if (revision === undefined) return undefined;
  return {
    uid: pod.metadata.uid,
    backend: `${pod.metadata.namespace ?? ""}/${revision}`,
    state: stateOf(pod),
    addresses: pod.metadata.annotations?.[ADDRESSES],
    podIP: pod.status?.podIP,
  };
}

function stateOf(pod: Pod): PodFacts["state"] {
  if (pod.metadata.deletionTimestamp !== undefined || hasEnded(pod)) return "out";
  if (pod.status?.conditions?.some((condition) => condition.type === "Ready" && condition.status === "True") === true) return "ready";
  const statuses = pod.status?.containerStatuses ?? [];
  // The runtime records the addresses beside the start of the process and tells nothing else of a pod that comes up quickly.
  const launched = statuses.length === 0 && pod.metadata.annotations?.[ADDRESSES] !== undefined;
  const running = pod.status?.phase === "Running" && statuses.every((container) => container.state?.running !== undefined);
  return launched || running ? "running" : "out";
}

/** Where a container port is reached: as recorded; without any record at podIP; undefined while neither is known. */
export function reachableAt(facts: PodFacts, containerPort: number): { readonly host: string; readonly port: number } | undefined {
  if (facts.addresses === undefined) return facts.podIP === undefined || facts.podIP === "" ? undefined : { host: facts.podIP, port: containerPort };
  const match = /^\[?([^\]]+?)\]?:([0-9]{1,5})$/.exec(recorded(facts.addresses, String(containerPort)));
  return match?.[1] === undefined ? undefined : { host: match[1], port: Number(match[2]) };
}

function recorded(addresses: string, containerPort: string): string {
  try {
    const value = (JSON.parse(addresses) as Readonly<Record<string, unknown>> | null)?.[containerPort];
    return typeof value === "string" ? value : "";
  } catch {
    // Somebody wrote nonsense into the annotation: the pod is not reachable.
    return "";
  }
}
