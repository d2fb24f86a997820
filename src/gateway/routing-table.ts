// The gateway's routes: hosts to paths to splits, replaced entry by entry as deltas come.
import type { RouteHost, RoutePath, RouteSplit } from "#protocol";
import { valuesOf } from "./head-scan.ts";
import type { RequestHead } from "./request-head.ts";
import { splitSequence, type SplitTurns } from "./split.ts";

/** Where a share of a path goes, ready for use. */
export interface Target {
  readonly backend: string;
  /** Header lines to add, each with its CRLF. */
  readonly appended: string;
  /** Their names in lower case: a client's fields of these names give way. */
  readonly overridden: ReadonlySet<string>;
  /** The Host that the application sees instead of the client's. */
  readonly rewriteHost: string | undefined;
  /** The label `kn.route.tag` (serving.md 4.9): a tag of the route, or one of Knative's words; never what a client made up. */
  readonly routeTag: string;
}

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

interface Host {
  readonly route: RouteHost;
  readonly paths: readonly Path[];
}

/** Routing headers of Knative's own hops; the application does not see them. */
const INTERNAL: ReadonlySet<string> = new Set(["knative-serving-revision", "knative-serving-namespace", "k-original-host"]);

/** State, no IO. */
export class RoutingTable {
  readonly #turns: SplitTurns;
  readonly #hosts = new Map<string, Host>();

  constructor(turns: SplitTurns) {
    this.#turns = turns;
  }

  set(route: RouteHost): void {
    const paths = route.paths.filter((path) => path.splits.length > 0).map((path) => this.#path(path));
    // The sort is stable: among equal prefixes the order of the list decides.
    paths.sort((a, b) => b.prefix.length - a.prefix.length);
    this.#hosts.set(route.host, { route, paths });
  }

  remove(host: string): void {
    this.#hosts.delete(host);
  }

  clear(): void {
    this.#hosts.clear();
  }

  /** The host's route; undefined when it is unknown, or closed to requests from outside. */
  host(name: string, isInside: boolean): RouteHost | undefined {
    const host = this.#hosts.get(name);
    return host === undefined || (host.route.visibility === "ClusterLocal" && !isInside) ? undefined : host.route;
  }

  /** The next target for a request of this host; undefined when no path matches. */
  target(head: RequestHead): Target | undefined {
    const paths = this.#hosts.get(head.host)?.paths ?? [];
    for (const path of paths) {
      if (!head.path.startsWith(path.prefix) || !headersMatch(head, path.headers)) continue;
      return path.targets[path.targets.length === 1 ? 0 : this.#share(path)];
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

/** Headers of the split win over those of the path. */
function targetOf(path: RoutePath, split: RouteSplit): Target {
  const merged = new Map<string, readonly [string, string]>();
  for (const pair of [...path.appendHeaders, ...split.appendHeaders]) merged.set(pair[0].toLowerCase(), pair);
  const originalHost = merged.get("k-original-host")?.[1];
  const added = [...merged].filter(
    ([name, [, value]]) => !INTERNAL.has(name) && /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
  );
  return {
    backend: split.backend,
    appended: added.map(([, [name, value]]) => `${name}: ${value}\r\n`).join(""),
    overridden: new Set(added.map(([name]) => name)),
    // A mapped domain is rewritten for routing only: the application sees the name that the client used.
    rewriteHost: originalHost ?? path.rewriteHost,
    routeTag: routeTagOf(path, merged),
  };
}

function routeTagOf(path: RoutePath, appended: ReadonlyMap<string, readonly [string, string]>): string {
  const matched = path.headers.find(([name]) => name.toLowerCase() === "knative-serving-tag")?.[1];
  const tag = appended.get("knative-serving-tag")?.[1] ?? matched;
  return tag ?? (appended.has("knative-serving-default-route") ? "kn:default" : "kn:disabled");
}
