// What the server counts of its requests, under the names that Kubernetes' API server has for it.
import type { Clock } from "#core";
import type { Store } from "#store";
import type { Labels, MetricRegistry } from "#telemetry";
import type { ApiRequest, ApiResponse } from "./port.ts";
import type { Registry, Resource } from "./registry.ts";
import { requestInfo } from "./request-info.ts";

/** Upper ends of the buckets of latencies, in seconds. */
const SECONDS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
/** Paths that are told by name; others would be as many as clients can think of. */
const PATHS = ["/api", "/apis", "/healthz", "/livez", "/metrics", "/openapi/v2", "/openapi/v3", "/readyz", "/version"];
const WATCH = "WATCH";
const MUTATING = new Set(["POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"]);

export interface RequestMetrics {
  /** Runs a request and counts it; a watch counts once it has ended. */
  measured(request: ApiRequest, work: () => Promise<ApiResponse>): Promise<ApiResponse>;
  watchEvents(resource: Resource, count: number): void;
  /** Looks up what is only counted when somebody asks. */
  refresh(): Promise<void>;
}

function verbOf(method: string, verb: string | undefined, contentType: string | undefined): string {
  if (verb === "patch") return contentType?.startsWith("application/apply-patch") === true ? "APPLY" : "PATCH";
  if (verb === "list" || verb === "watch" || verb === "deletecollection") return verb.toUpperCase();
  return method === "HEAD" ? "GET" : method;
}

function labelsOf(registry: Registry, { method, target, headers }: ApiRequest): Labels {
  const at = target.indexOf("?");
  const path = at < 0 ? target : target.slice(0, at);
  const query = new URLSearchParams(at < 0 ? "" : target.slice(at + 1));
  const info = requestInfo(registry, method, path, query);
  const dryRun = query.get("dryRun") === "All" ? "All" : "";
  if (info === undefined) {
    const known = PATHS.find((one) => path === one || path.startsWith(`${one}/`)) ?? "";
    return { component: "", dry_run: dryRun, group: "", resource: "", scope: "", subresource: known, verb: verbOf(method, undefined, undefined), version: "" };
  }
  const { resource, verb, namespace, name, subresource } = info;
  const { group, plural, version } = resource.kind;
  const scope = name !== "" || verb === "create" ? "resource" : namespace !== "" ? "namespace" : "cluster";
  return { component: "apiserver", dry_run: dryRun, group, resource: plural, scope, subresource, verb: verbOf(method, verb, headers["content-type"]), version };
}

/** Counts nothing. */
export const unmeasured: RequestMetrics = { measured: (_request, work) => work(), watchEvents: () => {}, refresh: () => Promise.resolve() };

/** The body; `onStart` once someone reads it, and then `onEnd` once it has been sent or given up. */
async function* between(
  body: AsyncIterable<string | Uint8Array>,
  { onStart, onEnd }: { readonly onStart: () => void; readonly onEnd: () => void },
): AsyncGenerator<string | Uint8Array> {
  onStart();
  try {
    yield* body;
  } finally {
    onEnd();
  }
}

/** A gauge of things that come and go. */
class Going {
  readonly #counts = new Map<string, { readonly labels: Labels; count: number }>();

  change(labels: Labels, by: 1 | -1): void {
    const key = JSON.stringify(labels);
    const entry = this.#counts.get(key) ?? { labels, count: 0 };
    entry.count += by;
    this.#counts.set(key, entry);
  }

  tell(set: (value: number, labels: Labels) => void): void {
    for (const { labels, count } of this.#counts.values()) set(count, labels);
  }
}

export function createRequestMetrics(metrics: MetricRegistry, { registry, clock, store }: { registry: Registry; clock: Clock; store: Store }): RequestMetrics {
  const total = metrics.counter("apiserver_request_total", "Requests answered, by verb, resource and code.");
  const duration = metrics.histogram("apiserver_request_duration_seconds", "Time from a request to its answer, watches left out.", SECONDS);
  const inflight = metrics.gauge("apiserver_current_inflight_requests", "Requests that are being worked on.");
  const longRunning = metrics.gauge("apiserver_longrunning_requests", "Watches that are open.");
  const events = metrics.counter("apiserver_watch_events_total", "Events sent to watchers.");
  const objects = metrics.gauge("apiserver_resource_objects", "Objects stored, by resource.");
  const oldObjects = metrics.gauge("apiserver_storage_objects", "Objects stored, by qualified resource; outdated.");
  const working = { mutating: 0, readOnly: 0 };
  const watches = new Going();
  metrics.onCollect(() => {
    inflight(working.mutating, { request_kind: "mutating" });
    inflight(working.readOnly, { request_kind: "readOnly" });
    watches.tell(longRunning);
  });
  const watching = async (labels: Labels, work: () => Promise<ApiResponse>): Promise<ApiResponse> => {
    const { dry_run: _, ...open } = labels;
    const answer = await work();
    const { body } = answer;
    const count = (): void => total({ code: String(answer.status), ...labels });
    if (typeof body === "string" || body instanceof Uint8Array) {
      count();
      return answer;
    }
    const onStart = (): void => watches.change(open, 1);
    const onEnd = (): void => {
      watches.change(open, -1);
      count();
    };
    return { ...answer, body: between(body, { onStart, onEnd }) };
  };
  return {
    async measured(request, work) {
      const labels = labelsOf(registry, request);
      const { verb = "" } = labels;
      if (verb === WATCH) return watching(labels, work);
      const kind = MUTATING.has(verb) ? "mutating" : "readOnly";
      const startMs = clock.monotonicMs();
      working[kind]++;
      try {
        const answer = await work();
        total({ code: String(answer.status), ...labels });
        return answer;
      } finally {
        working[kind]--;
        duration((clock.monotonicMs() - startMs) / 1000, labels);
      }
    },
    watchEvents({ kind }, count) {
      events({ group: kind.group, resource: kind.plural, version: kind.version }, count);
    },
    async refresh() {
      // Versions of one kind share their objects.
      const prefixes = new Map(registry.resources.map((resource) => [resource.prefix, resource.name]));
      for (const [prefix, { group, resource }] of prefixes) {
        const count = await store.count(prefix);
        objects(count, { group, resource });
        oldObjects(count, { resource: group === "" ? resource : `${resource}.${group}` });
      }
    },
  };
}
