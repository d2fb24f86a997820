// The subresource pods/log over what a runtime kept.
import type { SubresourceHandler } from "#apiserver";
import type { Pod } from "#kinds";
import type { LogQuery, ProcessRuntime } from "#runtimes";

export function podLog(runtime: () => ProcessRuntime): SubresourceHandler {
  return {
    verbs: ["get"],
    async handle({ object, query, signal }) {
      const pod = object as Pod;
      const { name, namespace = "", uid } = pod.metadata;
      const chunks = runtime().openLogs({ namespace, name, uid }, logQuery(pod, query), signal);
      return { status: 200, headers: { "Content-Type": "text/plain" }, body: await opened(chunks) };
    },
  };
}

/** The first chunk is waited for, so that a failure is a Status and not a cut stream. */
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

function logQuery(pod: Pod, query: URLSearchParams): LogQuery {
  const number = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined);
  const flag = (name: string): boolean => query.get(name) === "true" || query.get(name) === "1";
  const [tailLines, sinceSeconds, limitBytes] = [number("tailLines"), number("sinceSeconds"), number("limitBytes")];
  const container = query.get("container") ?? pod.spec?.containers[0]?.name;
  return {
    ...(container === undefined ? {} : { container }),
    follow: flag("follow"),
    previous: flag("previous"),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  };
}
