// The subresource pods/log over what a runtime kept.
import type { SubresourceHandler } from "#apiserver";
import { badRequest, StatusError, type Clock, type StatusCause } from "#core";
import type { Pod } from "#kinds";
import type { LogQuery, PodStreams } from "#runtimes";
import { containerOf, flagOf } from "./pod-streams.ts";

export function podLog(runtime: () => PodStreams, clock: Clock): SubresourceHandler {
  return {
    verbs: ["get"],
    async handle({ object, query, signal }) {
      const pod = object as Pod;
      const asked = logQuery(pod, query, clock.wallMs());
      // A pod on no node has said nothing yet.
      if ((pod.spec.nodeName ?? "") === "") return { status: 204, headers: {}, body: "" };
      return { status: 200, headers: { "content-type": "text/plain" }, body: await opened(runtime().openLogs(pod, asked, signal)) };
    },
  };
}

/** The first chunk is waited for, so that a failure is a Status and not a cut stream; of a log that is followed it may be long in coming. */
async function opened(chunks: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const first = await iterator.next();
  return {
    async *[Symbol.asyncIterator]() {
      try {
        for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
      } finally {
        await iterator.return?.();
      }
    },
  };
}

/** The query's options, checked as kube-apiserver does. Throws BadRequest for what is no number or time, Invalid for what makes no sense. */
export function logQuery(pod: Pod, query: URLSearchParams, nowMs: number): LogQuery {
  const tailLines = integerOf(query, "tailLines");
  const limitBytes = integerOf(query, "limitBytes");
  const sinceSeconds = integerOf(query, "sinceSeconds");
  const sinceTimeMs = timeOf(query, "sinceTime");
  const causes: StatusCause[] = [];
  const invalid = (field: string, value: number, why: string): void =>
    void causes.push({ reason: "FieldValueInvalid", message: `Invalid value: ${value}: ${why}`, field });
  if (tailLines !== undefined && tailLines < 0) invalid("tailLines", tailLines, "must be greater than or equal to 0");
  if (limitBytes !== undefined && limitBytes < 1) invalid("limitBytes", limitBytes, "must be greater than 0");
  if (sinceSeconds !== undefined && sinceTimeMs !== undefined) {
    causes.push({ reason: "FieldValueForbidden", message: "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified", field: "[]" });
  } else if (sinceSeconds !== undefined && sinceSeconds < 1) invalid("sinceSeconds", sinceSeconds, "must be greater than 0");
  if (query.has("stream")) causes.push({ reason: "FieldValueForbidden", message: "Forbidden: may not be specified", field: "stream" });
  if (causes.length > 0) throw invalidOptions(pod.metadata.name, causes);
  const sinceMs = sinceTimeMs ?? (sinceSeconds === undefined ? undefined : nowMs - sinceSeconds * 1000);
  return {
    container: containerOf(pod, query),
    follow: flagOf(query, "follow"),
    previous: flagOf(query, "previous"),
    timestamps: flagOf(query, "timestamps"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}

function invalidOptions(name: string, causes: readonly StatusCause[]): StatusError {
  const texts = causes.map(({ field, message }) => `${field}: ${message}`);
  const message = `PodLogOptions ${JSON.stringify(name)} is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(", ")}]`}`;
  return new StatusError("Invalid", message, { details: { name, kind: "PodLogOptions", causes } });
}

function integerOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  if (/^[+-]?\d{1,18}$/.test(text)) return Number(text);
  const why = /^[+-]?\d+$/.test(text) ? "value out of range" : "invalid syntax";
  throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${why}`);
}

function timeOf(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === "") return undefined;
  const atMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs))
    throw badRequest(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`);
  return atMs;
}
