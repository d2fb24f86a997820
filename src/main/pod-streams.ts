// The subresources pods/exec, pods/attach and pods/portforward over what a runtime runs.
import { acceptCommand, acceptForward, wantedStreams, type SubresourceHandler, type SubresourceRequest, type WantedStreams } from "#apiserver";
import { badRequest, type Clock } from "#core";
import type { Pod } from "#kinds";
import type { PodStreams } from "#runtimes";

const VERBS = ["create", "get"] as const;

export function podStreams(runtime: () => PodStreams, clock: Clock): Readonly<Record<string, SubresourceHandler>> {
  return {
    exec: {
      verbs: VERBS,
      kind: { group: "", version: "", kind: "PodExecOptions" },
      async handle({ object, query, http }) {
        const pod = object as Pod;
        const container = containerOf(pod, query);
        mustHaveNode(pod);
        const wanted = wantedOf(query);
        const argv = query.getAll("command");
        if (argv.length === 0) throw badRequest("you must specify at least one command for the container");
        return acceptCommand(http, wanted, { clock, start: () => runtime().exec(pod, { container, argv, stdin: wanted.stdin, tty: wanted.tty }) });
      },
    },
    attach: {
      verbs: VERBS,
      kind: { group: "", version: "", kind: "PodAttachOptions" },
      async handle({ object, query, http }) {
        const pod = object as Pod;
        const container = containerOf(pod, query);
        mustHaveNode(pod);
        const wanted = wantedOf(query);
        return acceptCommand(http, wanted, { clock, start: () => runtime().attach(pod, { container, stdin: wanted.stdin }) });
      },
    },
    portforward: {
      verbs: VERBS,
      kind: { group: "", version: "", kind: "PodPortForwardOptions" },
      async handle({ object, http }) {
        const pod = object as Pod;
        mustHaveNode(pod);
        const { name, uid } = pod.metadata;
        return acceptForward(http, { clock, where: `to pod ${name}, uid ${uid}`, connect: (port) => runtime().connect(pod, port) });
      },
    },
  };
}

/** The container of the query, or the only one. Throws BadRequest in Kubernetes' words. */
export function containerOf(pod: Pod, query: SubresourceRequest["query"]): string {
  const { name } = pod.metadata;
  const { initContainers = [], containers, ephemeralContainers = [] } = pod.spec;
  const names = [...initContainers, ...containers, ...ephemeralContainers].map((each) => each.name);
  const asked = query.get("container") ?? "";
  if (asked !== "") {
    if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${name}`);
    return asked;
  }
  const [first, second] = containers;
  if (first !== undefined && second === undefined) return first.name;
  throw badRequest(`a container name must be specified for pod ${name}${first === undefined ? "" : `, choose one of: [${names.join(" ")}]`}`);
}

export function mustHaveNode(pod: Pod): void {
  if ((pod.spec.nodeName ?? "") === "") throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
}

/** Go's booleans: all but `false` and `0` count as true. */
export function flagOf(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && !["false", "0"].includes(value.toLowerCase());
}

function wantedOf(query: URLSearchParams): WantedStreams {
  return wantedStreams({ stdin: flagOf(query, "stdin"), stdout: flagOf(query, "stdout"), stderr: flagOf(query, "stderr"), tty: flagOf(query, "tty") });
}
