// Channels behind other objects: made from a template, whatever their kind, and read as what all channels have in common (eventing.md 0.4).
import type { Client } from "#client";
import { messaging, type ChannelSubscriber, type ChannelTemplate, type DeliverySpec, type InMemoryChannelStatus } from "#kinds";
import type { Child } from "#reconcile";
import type { Kind, KubeObject, ObjectMeta } from "#schema";
import type { ReferenceDeps } from "./references.ts";

/** A channel of any kind; its spec and its status may be of another form where users' kinds are wrong. */
export type Channelable = KubeObject & {
  readonly spec?: { readonly subscribers?: readonly ChannelSubscriber[]; readonly delivery?: DeliverySpec };
  readonly status?: InMemoryChannelStatus;
};

/** Those of the annotations that mean something to channels. */
const PASSED_ON = /^(eider\.dev|messaging\.knative\.dev)\//;
/** Whose it is, and since when. */
const NOT_PASSED_ON: readonly string[] = [messaging.subscribable, "messaging.knative.dev/creator", "messaging.knative.dev/lastModifier"];

/** An existing channel is left as it is: a changed template counts for new channels, as in Knative. */
export function channelFor(
  kind: Kind,
  { name, parent, template, spec }: { readonly name: string; readonly parent: ObjectMeta; readonly template: ChannelTemplate; readonly spec?: object },
): Child {
  const annotations = Object.entries(parent.annotations ?? {}).filter(([key]) => PASSED_ON.test(key) && !NOT_PASSED_ON.includes(key));
  return {
    kind,
    object: {
      apiVersion: template.apiVersion ?? "",
      kind: template.kind ?? "",
      metadata: {
        name,
        ...(parent.namespace === undefined ? {} : { namespace: parent.namespace }),
        ...(annotations.length === 0 ? {} : { annotations: Object.fromEntries(annotations) }),
      },
      spec: { ...(template.spec as object | undefined), ...spec },
    } as Child["object"],
    merge: () => undefined,
  };
}

/** Of a template whose kind is served by nobody: why. */
export function unservedText({ apiVersion = "", kind = "" }: ChannelTemplate): string {
  return `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`;
}

export function kindOfTemplate({ apiVersion = "", kind = "" }: ChannelTemplate, { kindOf }: ReferenceDeps): Kind | undefined {
  return kindOf({ apiVersion, kind });
}

export async function findChannel(client: Client, kind: Kind, namespace: string, name: string): Promise<Channelable | undefined> {
  return (await client.find(kind, namespace, name)) as Channelable | undefined;
}

export function isControlledBy({ metadata }: KubeObject, uid: string): boolean {
  return metadata.ownerReferences?.some((owner) => owner.controller === true && owner.uid === uid) === true;
}
