// Tries a pod on an API server without keeping it.
import type { Transport } from "#client";
import { Pod } from "#kinds";
import type { Draft, Kind } from "#schema";

/** A StatusError says what is wrong with the pod. */
export function tryPod(transport: Pick<Transport, "send">, pod: Draft<Pod>): Promise<unknown> {
  const { namespace = "" } = pod.metadata;
  return transport.send({ verb: "create", kind: Pod as unknown as Kind, namespace, query: { dryRun: "All" }, body: pod });
}
