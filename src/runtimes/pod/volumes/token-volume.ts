// The volume that every pod has unasked: its account's token, the CA to trust, its namespace. Pure.
import type { CoreContainer, Pod, ServiceAccount, Volume } from "#kinds";

/** Where clients of the API look for it. */
export const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";

/** As Kubernetes writes it into the pod; the name is none that a pod's own volume can have. */
export const TOKEN_VOLUME: Volume = {
  name: ".kube-api-access",
  projected: {
    sources: [
      { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
      { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  },
};

/** The pod's word comes before that of its account. */
export function wantsToken({ spec }: Pod, account: ServiceAccount | undefined): boolean {
  return account !== undefined && (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true);
}

/** A container that mounts something there itself gets that. */
export function mountsToken({ volumeMounts = [] }: CoreContainer): boolean {
  return !volumeMounts.some(({ mountPath }) => mountPath === TOKEN_PATH);
}
