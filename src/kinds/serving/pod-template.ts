// The part of a PodSpec that a Revision may hold: types as the CRD schema allows them (serving.md §1.2).
import type { DraftMeta } from "#schema";

/** Fields that the schema keeps as they are; the webhook decides which may be set. */
export type Opaque = Record<string, unknown>;

export interface KeySelector {
  key: string;
  name?: string;
  optional?: boolean;
}

export interface EnvVar {
  name: string;
  value?: string;
  valueFrom?: { configMapKeyRef?: KeySelector; secretKeyRef?: KeySelector; fieldRef?: Opaque; resourceFieldRef?: Opaque };
}

export interface EnvFromSource {
  prefix?: string;
  configMapRef?: { name?: string; optional?: boolean };
  secretRef?: { name?: string; optional?: boolean };
}

export interface Probe {
  exec?: { command?: string[] };
  grpc?: { port: number; service?: string };
  httpGet?: { host?: string; httpHeaders?: { name: string; value: string }[]; path?: string; port?: number | string; scheme?: string };
  tcpSocket?: { host?: string; port?: number | string };
  initialDelaySeconds?: number;
  timeoutSeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
}

export interface ContainerPort {
  name?: string;
  containerPort?: number;
  protocol?: string;
}

export interface Resources {
  limits?: Record<string, string | number>;
  requests?: Record<string, string | number>;
}

export interface ContainerSecurityContext {
  allowPrivilegeEscalation?: boolean;
  capabilities?: { add?: string[]; drop?: string[] };
  privileged?: boolean;
  readOnlyRootFilesystem?: boolean;
  runAsGroup?: number;
  runAsNonRoot?: boolean;
  runAsUser?: number;
  seccompProfile?: { type: string; localhostProfile?: string };
}

export interface VolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  subPath?: string;
  mountPropagation?: string;
}

export interface Container {
  name?: string;
  image?: string;
  command?: string[];
  args?: string[];
  env?: EnvVar[];
  envFrom?: EnvFromSource[];
  imagePullPolicy?: string;
  livenessProbe?: Probe;
  readinessProbe?: Probe;
  startupProbe?: Probe;
  ports?: ContainerPort[];
  resources?: Resources;
  securityContext?: ContainerSecurityContext;
  terminationMessagePath?: string;
  terminationMessagePolicy?: string;
  volumeMounts?: VolumeMount[];
  workingDir?: string;
}

export interface KeyToPath {
  key: string;
  path: string;
  mode?: number;
}

export interface ProjectedSource {
  configMap?: { name?: string; items?: KeyToPath[]; optional?: boolean };
  secret?: { name?: string; items?: KeyToPath[]; optional?: boolean };
  downwardAPI?: { items?: { path: string; fieldRef?: Opaque; resourceFieldRef?: Opaque; mode?: number }[] };
  serviceAccountToken?: { path: string; audience?: string; expirationSeconds?: number };
}

export interface Volume {
  name: string;
  configMap?: { name?: string; items?: KeyToPath[]; optional?: boolean; defaultMode?: number };
  secret?: { secretName?: string; items?: KeyToPath[]; optional?: boolean; defaultMode?: number };
  projected?: { sources?: ProjectedSource[]; defaultMode?: number };
  csi?: Opaque;
  emptyDir?: Opaque;
  ephemeral?: Opaque;
  hostPath?: Opaque;
  image?: Opaque;
  persistentVolumeClaim?: Opaque;
}

/** `spec` of a Revision: PodSpec fields inline, and Knative's own four. */
export interface RevisionSpec {
  containerConcurrency?: number;
  timeoutSeconds?: number;
  responseStartTimeoutSeconds?: number;
  idleTimeoutSeconds?: number;
  containers: Container[];
  initContainers?: Opaque[];
  volumes?: Volume[];
  serviceAccountName?: string;
  automountServiceAccountToken?: boolean;
  enableServiceLinks?: boolean;
  imagePullSecrets?: { name?: string }[];
  affinity?: Opaque;
  dnsConfig?: Opaque;
  dnsPolicy?: string;
  hostAliases?: Opaque[];
  hostIPC?: boolean;
  hostNetwork?: boolean;
  hostPID?: boolean;
  nodeSelector?: Record<string, string>;
  priorityClassName?: string;
  runtimeClassName?: string;
  schedulerName?: string;
  securityContext?: Opaque;
  shareProcessNamespace?: boolean;
  tolerations?: Opaque[];
  topologySpreadConstraints?: Opaque[];
}

/** What a Configuration or Service stamps its Revisions from. */
export interface RevisionTemplate {
  metadata?: DraftMeta;
  spec: RevisionSpec;
}
