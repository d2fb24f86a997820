// The Secrets with which a workload's images are pulled: its own, then those of its service account.
import type { Client } from "#client";
import type { PullSecret } from "#images";
import { Secret, ServiceAccount } from "#kinds";

export interface PullSecretsOf {
  readonly namespace: string;
  readonly serviceAccountName?: string | undefined;
  readonly imagePullSecrets: readonly string[];
}

/** A workload names a handful; what is more is not read. */
const SECRETS_MAX = 64;

/** Those that are there, each once; a Secret that is missing is as good as an empty one, as for the kubelet. */
export async function pullSecrets(client: Client, { namespace, serviceAccountName, imagePullSecrets }: PullSecretsOf): Promise<readonly PullSecret[]> {
  const account = await client.find(ServiceAccount, namespace, serviceAccountName === undefined || serviceAccountName === "" ? "default" : serviceAccountName);
  const names = new Set([...imagePullSecrets, ...(account?.imagePullSecrets ?? []).flatMap(({ name }) => name ?? [])]);
  const found = await Promise.all([...names].slice(0, SECRETS_MAX).map((name) => client.find(Secret, namespace, name)));
  return found.filter((secret) => secret !== undefined);
}
