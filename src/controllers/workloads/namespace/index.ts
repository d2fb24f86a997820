// Namespaces: active until deleted, then emptied and let go.
import type { Transport } from "#client";
import { Namespace } from "#kinds";
import { isReason } from "#core";
import type { Controller } from "#reconcile";
import type { Kind } from "#schema";
import { observeNamespace, type ObservedNamespace } from "./observe.ts";
import { planNamespace, type NamespaceEffect } from "./plan.ts";

export interface NamespaceControllerOptions {
  /** Carries the call to the subresource `finalize`, which is no verb of a client. */
  readonly transport: Transport;
  /** All namespaced kinds that are served; their objects go with the namespace. */
  readonly kinds: readonly Kind[];
  /** Those that come and go; their objects go, too. */
  readonly coming?: () => readonly Kind[];
}

export function namespaceController({
  transport,
  kinds,
  coming = () => [],
}: NamespaceControllerOptions): Controller<Namespace, ObservedNamespace, NamespaceEffect> {
  return {
    name: "namespace-controller",
    primary: Namespace,
    owns: [],
    observe: (key, world) => observeNamespace(key, world, [...kinds, ...coming().filter(({ scope }) => scope === "Namespaced")]),
    plan: planNamespace,
    primaryOf: ({ namespace }) => namespace,
    async runEffect(effect, world) {
      try {
        if (effect.do === "delete") {
          const { name, namespace, uid } = effect;
          await world.client.delete(effect.kind, { namespace, name }, { preconditions: { uid }, propagationPolicy: "Background" });
        } else {
          await transport.send({
            verb: "update",
            kind: Namespace,
            namespace: "",
            name: effect.namespace.metadata.name,
            subresource: "finalize",
            contentType: "application/json",
            body: effect.namespace,
          });
        }
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
    },
  };
}
