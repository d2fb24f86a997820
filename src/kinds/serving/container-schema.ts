// Containers and their volumes as the CRD schema of a Revision allows them (serving.md §1.2).
import { s, type ValueOf } from "#schema";

/** Open content, judged elsewhere. */
const content = s.anything();
const text = s.optional(s.string());
const flag = s.optional(s.boolean());
const int32 = s.optional(s.int32());
const nameOrEmpty = s.withDefault(s.string(), "");

const keySelector = s.object({ key: s.string(), name: nameOrEmpty, optional: flag });

const EnvVar = s.object({
  name: s.string(),
  value: text,
  valueFrom: s.optional(
    s.object({
      configMapKeyRef: s.optional(keySelector),
      fieldRef: s.optional(content),
      resourceFieldRef: s.optional(content),
      secretKeyRef: s.optional(keySelector),
    }),
  ),
});
export type EnvVar = ValueOf<typeof EnvVar>;

const wholeSource = s.object({ name: nameOrEmpty, optional: flag });
const EnvFromSource = s.object({ configMapRef: s.optional(wholeSource), prefix: text, secretRef: s.optional(wholeSource) });

const Probe = s.object({
  exec: s.optional(s.object({ command: s.optional(s.list(s.string())) })),
  failureThreshold: int32,
  grpc: s.optional(s.object({ port: int32, service: s.withDefault(s.string(), "") })),
  httpGet: s.optional(
    s.object({
      host: text,
      httpHeaders: s.optional(s.list(s.object({ name: s.string(), value: s.string() }))),
      path: text,
      port: s.optional(s.intOrString()),
      scheme: text,
    }),
  ),
  initialDelaySeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  tcpSocket: s.optional(s.object({ host: text, port: s.optional(s.intOrString()) })),
  timeoutSeconds: int32,
});
export type Probe = ValueOf<typeof Probe>;

const SecurityContext = s.object({
  allowPrivilegeEscalation: flag,
  capabilities: s.optional(s.object({ add: s.optional(s.list(s.string())), drop: s.optional(s.list(s.string())) })),
  privileged: flag,
  readOnlyRootFilesystem: flag,
  runAsGroup: s.optional(s.int64()),
  runAsNonRoot: flag,
  runAsUser: s.optional(s.int64()),
  seccompProfile: s.optional(s.object({ localhostProfile: text, type: s.string() })),
});

const VolumeMount = s.object({ mountPath: s.string(), mountPropagation: text, name: s.string(), readOnly: flag, subPath: text });
export type VolumeMount = ValueOf<typeof VolumeMount>;

const ContainerPort = s.object({ containerPort: int32, name: text, protocol: s.withDefault(s.string(), "TCP") });

export const Container = s.object({
  args: s.optional(s.list(s.string())),
  command: s.optional(s.list(s.string())),
  env: s.optional(s.list(EnvVar, { keyedBy: ["name"] })),
  envFrom: s.optional(s.list(EnvFromSource)),
  image: text,
  imagePullPolicy: text,
  livenessProbe: s.optional(Probe),
  name: text,
  ports: s.optional(s.list(ContainerPort, { plain: true })),
  readinessProbe: s.optional(Probe),
  resources: s.optional(s.object({ limits: s.optional(s.map(s.quantity())), requests: s.optional(s.map(s.quantity())) })),
  securityContext: s.optional(SecurityContext),
  startupProbe: s.optional(Probe),
  terminationMessagePath: text,
  terminationMessagePolicy: text,
  volumeMounts: s.optional(s.list(VolumeMount, { keyedBy: ["mountPath"] })),
  workingDir: text,
});
export type Container = ValueOf<typeof Container>;

const KeyToPath = s.object({ key: s.string(), mode: int32, path: s.string() });
export type KeyToPath = ValueOf<typeof KeyToPath>;
const items = s.optional(s.list(KeyToPath));
const DownwardItem = s.object({
  fieldRef: s.optional(content),
  mode: int32,
  path: s.string(),
  resourceFieldRef: s.optional(content),
});

const ProjectedSource = s.object({
  configMap: s.optional(s.object({ items, name: nameOrEmpty, optional: flag })),
  downwardAPI: s.optional(s.object({ items: s.optional(s.list(DownwardItem)) })),
  secret: s.optional(s.object({ items, name: nameOrEmpty, optional: flag })),
  serviceAccountToken: s.optional(s.object({ audience: text, expirationSeconds: s.optional(s.int64()), path: s.string() })),
});
export type ProjectedSource = ValueOf<typeof ProjectedSource>;

export const Volume = s.object({
  configMap: s.optional(s.object({ defaultMode: int32, items, name: nameOrEmpty, optional: flag })),
  csi: s.optional(content),
  emptyDir: s.optional(content),
  ephemeral: s.optional(content),
  hostPath: s.optional(content),
  image: s.optional(content),
  name: s.string(),
  persistentVolumeClaim: s.optional(content),
  projected: s.optional(s.object({ defaultMode: int32, sources: s.optional(s.list(ProjectedSource)) })),
  secret: s.optional(s.object({ defaultMode: int32, items, optional: flag, secretName: text })),
});
export type Volume = ValueOf<typeof Volume>;
