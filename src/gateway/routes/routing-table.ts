// The gateway's routes: hosts to paths to splits, replaced entry by entry as deltas come.
import type { RouteHost, RoutePath } from "#protocol";
import { valuesOf } from "../http/head-scan.ts";
import { hostName, type RequestHead } from "../http/request-head.ts";
import { splitSequence, type SplitTurns } from "../shared/split.ts";
import { revisionTarget, targetBehind, targetOf, type Target } from "./target.ts";

/** Why a request of a known host has no target. */
export type Astray = "noPath" | "loop";

interface Path {
  readonly prefix: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly targets: readonly Target[];
  readonly sequence: Uint8Array;
  /** Row of its turns in the table of all threads; -1 when it has none. */
  readonly row: number;
  /** This thread's own turn, without a row. */
  turn: number;
}

/** A host of the table, for the request that it was found for. */
export interface Host {
  readonly route: RouteHost;
  readonly paths: readonly Path[];
  /** Those for requests from outside. */
  readonly outside: readonly Path[];
}

/** How often a request may come back to the gateway. */
const PASSES_MAX = 8;

/** Targets of requests for a revision by name that are kept. */
const REVISION_TARGETS_MAX = 1000;

const NO_PATHS: readonly Path[] = [];

/** State, no IO. */
export class RoutingTable {
  readonly #turns: SplitTurns;
  readonly #hosts = new Map<string, Host>();
  /** By backend and original host. */
  readonly #revisionTargets = new Map<string, Target>();

  constructor(turns: SplitTurns) {
    this.#turns = turns;
  }

  set(route: RouteHost): void {
    const local = new Set<Path>();
    const paths: Path[] = [];
    for (const path of route.paths) {
      if (path.splits.length === 0) continue;
      const made = this.#path(path);
      paths.push(made);
      if (path.isLocal === true) local.add(made);
    }
    // The sort is stable: among equal prefixes the order of the list decides.
    paths.sort((a, b) => b.prefix.length - a.prefix.length);
    this.#hosts.set(route.host, { route, paths, outside: local.size === 0 ? paths : paths.filter((path) => !local.has(path)) });
  }

  remove(host: string): void {
    this.#hosts.delete(host);
  }

  clear(): void {
    this.#hosts.clear();
  }

  /** Undefined when it is unknown, or closed to requests from outside. */
  host(name: string, isInside: boolean): Host | undefined {
    const host = this.#hosts.get(name);
    return host === undefined || (host.route.visibility === "ClusterLocal" && !isInside) ? undefined : host;
  }

  /** The target of a request for a revision by name; the same one as long as it is kept. */
  revision(backend: string, originalHost: string): Target {
    const key = `${backend} ${originalHost}`;
    const known = this.#revisionTargets.get(key);
    if (known !== undefined) return known;
    if (this.#revisionTargets.size >= REVISION_TARGETS_MAX) this.#revisionTargets.clear();
    const target = revisionTarget(backend, originalHost);
    this.#revisionTargets.set(key, target);
    return target;
  }

  /** The next target for a request of this host. One that leads back to the gateway is followed at once, without a connection. */
  target(host: Host, head: RequestHead, isInside: boolean): Target | Astray {
    const target = this.#next(isInside ? host.paths : host.outside, head);
    return target === undefined ? "noPath" : target.leadsBack ? this.#follow(target, head) : target;
  }

  #follow(first: Target, head: RequestHead): Target | Astray {
    let target = first;
    for (let pass = 1; pass < PASSES_MAX; pass++) {
      const name = target.routedHost === undefined ? head.host : hostName(target.routedHost);
      const next = this.#next(this.#hosts.get(name)?.paths ?? NO_PATHS, head);
      if (next === undefined) return "noPath";
      target = targetBehind(target, next);
      if (!target.leadsBack) return target;
    }
    return "loop";
  }

  #next(paths: readonly Path[], head: RequestHead): Target | undefined {
    for (const path of paths) {
      if ((path.prefix !== "" && !head.path.startsWith(path.prefix)) || (path.headers.length > 0 && !headersMatch(head, path.headers))) continue;
      // A probe is no request of anybody: it takes no turn.
      return path.targets[path.targets.length === 1 || head.probe !== "" ? 0 : this.#share(path)];
    }
    return undefined;
  }

  #share(path: Path): number {
    const { length } = path.sequence;
    if (path.row >= 0) return path.sequence[this.#turns.next(path.row, length)] ?? 0;
    const turn = path.turn;
    path.turn = turn + 1 === length ? 0 : turn + 1;
    return path.sequence[turn] ?? 0;
  }

  #path(path: RoutePath): Path {
    const sequence = splitSequence(path.splits.map((split) => split.percent));
    return {
      prefix: path.prefix,
      headers: path.headers.map(([name, value]) => [name.toLowerCase(), value] as const),
      targets: path.splits.map((split) => targetOf(path, split)),
      sequence,
      row: this.#turns.shared(path.turns ?? -1) ? (path.turns ?? -1) : -1,
      turn: 0,
    };
  }
}

function headersMatch(head: RequestHead, wanted: Path["headers"]): boolean {
  return wanted.every(([name, value]) => valuesOf(head.text, head.fields, name).includes(value));
}
