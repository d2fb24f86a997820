// The one Node of the embedded platform, described by what the machine says of itself.
import { arch, availableParallelism, platform, release, totalmem } from "node:os";
import type { ClusterNode } from "#kinds";
import { rfc3339 } from "#core";
import type { Draft } from "#schema";

export const NODE_NAME = "eider";

/** Pods that the node takes, as the kubelet's default. */
const PODS_MAX = "110";

export function nodeObject(options: { readonly version: string; readonly nowMs: number }): Draft<ClusterNode> {
  const resources = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: PODS_MAX };
  const now = rfc3339(options.nowMs);
  const architecture = arch() === "x64" ? "amd64" : arch();
  const labels = { "kubernetes.io/hostname": NODE_NAME, "kubernetes.io/os": platform(), "kubernetes.io/arch": architecture };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: NODE_NAME, labels },
    spec: {},
    status: {
      capacity: resources,
      allocatable: resources,
      conditions: [{ type: "Ready", status: "True", reason: "EiderReady", message: "the platform runs pods", lastHeartbeatTime: now, lastTransitionTime: now }],
      addresses: [
        { type: "InternalIP", address: "127.0.0.1" },
        { type: "Hostname", address: NODE_NAME },
      ],
      nodeInfo: {
        machineID: "",
        systemUUID: "",
        bootID: "",
        kernelVersion: release(),
        osImage: `${platform()} ${release()}`,
        containerRuntimeVersion: `process://${process.versions.node}`,
        kubeletVersion: options.version,
        kubeProxyVersion: options.version,
        operatingSystem: platform(),
        architecture,
      },
    },
  };
}
