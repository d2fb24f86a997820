// config-features: which optional fields and behaviours are allowed (serving.md §1.6).
import type { ConfigData } from "./reader.ts";

export type Flag = "Enabled" | "Allowed" | "Disabled";
export type SecurePodDefaults = "Enabled" | "AllowRootBounded" | "Disabled";

/** Keys of config-features by our name, with the value that holds when the key is missing or not understood. */
const FLAGS = {
  multiContainer: ["multi-container", "Enabled"],
  multiContainerProbing: ["multi-container-probing", "Disabled"],
  podSpecAffinity: ["kubernetes.podspec-affinity", "Disabled"],
  podSpecTopologySpreadConstraints: ["kubernetes.podspec-topologyspreadconstraints", "Disabled"],
  podSpecHostAliases: ["kubernetes.podspec-hostaliases", "Disabled"],
  podSpecFieldRef: ["kubernetes.podspec-fieldref", "Disabled"],
  podSpecNodeSelector: ["kubernetes.podspec-nodeselector", "Disabled"],
  podSpecRuntimeClassName: ["kubernetes.podspec-runtimeclassname", "Disabled"],
  podSpecTolerations: ["kubernetes.podspec-tolerations", "Disabled"],
  podSpecSecurityContext: ["kubernetes.podspec-securitycontext", "Disabled"],
  podSpecShareProcessNamespace: ["kubernetes.podspec-shareprocessnamespace", "Disabled"],
  podSpecHostIpc: ["kubernetes.podspec-hostipc", "Disabled"],
  podSpecHostPid: ["kubernetes.podspec-hostpid", "Disabled"],
  podSpecHostNetwork: ["kubernetes.podspec-hostnetwork", "Disabled"],
  podSpecPriorityClassName: ["kubernetes.podspec-priorityclassname", "Disabled"],
  podSpecSchedulerName: ["kubernetes.podspec-schedulername", "Disabled"],
  podSpecDnsPolicy: ["kubernetes.podspec-dnspolicy", "Disabled"],
  podSpecDnsConfig: ["kubernetes.podspec-dnsconfig", "Disabled"],
  podSpecInitContainers: ["kubernetes.podspec-init-containers", "Disabled"],
  podSpecEmptyDir: ["kubernetes.podspec-volumes-emptydir", "Enabled"],
  podSpecPersistentVolumeClaim: ["kubernetes.podspec-persistent-volume-claim", "Disabled"],
  podSpecPersistentVolumeWrite: ["kubernetes.podspec-persistent-volume-write", "Disabled"],
  podSpecHostPath: ["kubernetes.podspec-volumes-hostpath", "Disabled"],
  podSpecCsi: ["kubernetes.podspec-volumes-csi", "Disabled"],
  podSpecEphemeral: ["kubernetes.podspec-volumes-ephemeral", "Disabled"],
  podSpecImage: ["kubernetes.podspec-volumes-image", "Disabled"],
  podSpecMountPropagation: ["kubernetes.podspec-volumes-mount-propagation", "Disabled"],
  containerAddCapabilities: ["kubernetes.containerspec-addcapabilities", "Disabled"],
  tagHeaderBasedRouting: ["tag-header-based-routing", "Disabled"],
  autodetectHttp2: ["autodetect-http2", "Disabled"],
  queueProxyMountPodInfo: ["queueproxy.mount-podinfo", "Disabled"],
  queueProxyResourceDefaults: ["queueproxy.resource-defaults", "Disabled"],
} as const satisfies Record<string, readonly [string, Flag]>;

export type FeatureName = keyof typeof FLAGS;
export type FeaturesConfig = Readonly<Record<FeatureName, Flag>> & { readonly securePodDefaults: SecurePodDefaults };

const VALUES: ReadonlyMap<string, Flag> = new Map([
  ["enabled", "Enabled"],
  ["allowed", "Allowed"],
  ["disabled", "Disabled"],
]);
const SECURE: ReadonlyMap<string, SecurePodDefaults> = new Map([
  ["enabled", "Enabled"],
  ["allowrootbounded", "AllowRootBounded"],
  ["disabled", "Disabled"],
]);

/** Never fails: a value that is not understood leaves the default. */
export function parseFeaturesConfig(data: ConfigData): FeaturesConfig {
  const flags = Object.entries(FLAGS).map(([name, [key, fallback]]) => [name, VALUES.get((data[key] ?? "").toLowerCase()) ?? fallback]);
  return {
    ...(Object.fromEntries(flags) as Record<FeatureName, Flag>),
    securePodDefaults: SECURE.get((data["secure-pod-defaults"] ?? "").toLowerCase()) ?? "Disabled",
  };
}
