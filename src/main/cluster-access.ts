// Whether a cluster is one that our controllers can work on: new enough, not our own platform, and with the permissions.
import { isIP } from "node:net";
import type { HttpTransport } from "#client";
import { StatusError } from "#core";
import { WRITTEN } from "#kinds";
import type { Kind } from "#schema";
import { CustomResourceDefinition } from "#kinds";

/** The oldest minor version of Kubernetes 1 whose definitions can say what ours say. */
const MINOR_MIN = 30;

const READING = ["list", "watch"] as const;
const WRITING = ["get", "create", "update", "patch", "delete"] as const;

/** The server's version, `v1.34.4`. Throws `BadRequest` for one that is too old, or is Eider's own. */
export async function versionOf(transport: HttpTransport): Promise<string> {
  const { gitVersion = "", major = "", minor = "" } = (await transport.document("/version")) as { gitVersion?: string; major?: string; minor?: string };
  if (gitVersion.includes("+eider.")) throw new StatusError("BadRequest", "this is Eider's own API server; its controllers run already");
  const [, digits = ""] = /^(\d+)/.exec(minor) ?? [];
  if (Number(major) !== 1 || Number(digits) < MINOR_MIN) {
    throw new StatusError(
      "BadRequest",
      `Kubernetes ${gitVersion === "" ? "of an unknown version" : gitVersion} is too old: at least v1.${MINOR_MIN} is needed`,
    );
  }
  return gitVersion;
}

async function isAllowed(transport: HttpTransport, kind: Kind, verb: string): Promise<boolean> {
  const resourceAttributes = { group: kind.group, version: kind.version, resource: kind.plural, verb };
  const review = { apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", spec: { resourceAttributes } };
  const answer = await transport.send({ verb: "create", kind: WRITTEN.SelfSubjectAccessReview, namespace: "", body: review });
  return (answer as { readonly status?: { readonly allowed?: boolean } }).status?.allowed === true;
}

/** What the user of the kubeconfig may not do of what is needed, as `list pods`. */
export async function missingPermissions(transport: HttpTransport, its: { readonly kinds: readonly Kind[]; readonly webhooks: boolean }): Promise<string[]> {
  const written = [
    CustomResourceDefinition as unknown as Kind,
    ...(its.webhooks ? [WRITTEN.MutatingWebhookConfiguration, WRITTEN.ValidatingWebhookConfiguration] : []),
  ];
  const wanted = [
    ...written.flatMap((kind) => WRITING.map((verb) => ({ kind, verb }))),
    ...its.kinds.flatMap((kind) => [...READING, ...WRITING].map((verb) => ({ kind, verb }))),
  ];
  const answers = await Promise.all(wanted.map(async ({ kind, verb }) => ((await isAllowed(transport, kind, verb)) ? [] : [{ kind, verb }])));
  const byKind = new Map<string, string[]>();
  for (const { kind, verb } of answers.flat()) {
    const resource = kind.group === "" ? kind.plural : `${kind.plural}.${kind.group}`;
    byKind.set(resource, [...(byKind.get(resource) ?? []), verb]);
  }
  return [...byKind].map(([resource, verbs]) => `${verbs.join(", ")} ${resource}`);
}

/** Whether an API server at this URL is on this machine, so that it finds what listens on loopback. */
export function isOnThisMachine(server: string): boolean {
  const name = new URL(server).hostname.replace(/^\[|\]$/g, "");
  return name === "localhost" || name === "::1" || (isIP(name) === 4 && name.startsWith("127."));
}
