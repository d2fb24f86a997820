// What Knative's kinds are for, in our own words. Their schemas are written in place, so fields have paths.
import { podDescriptions } from "./pods.ts";

export type Texts = Readonly<Record<string, string>>;

/** The texts under a path: those of a type, as fields of something that contains it. */
export function under(prefix: string, texts: Texts): Texts {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([name]) => name !== "")
      .map(([name, text]) => [`${prefix}.${name}`, text]),
  );
}

const pod = (type: string): Texts => (podDescriptions as Readonly<Record<string, Texts>>)[`io.k8s.api.core.v1.${type}`] ?? {};

function probeTexts(prefix: string): Texts {
  return {
    ...under(prefix, pod("Probe")),
    ...under(`${prefix}.httpGet`, pod("HTTPGetAction")),
    ...under(`${prefix}.tcpSocket`, pod("TCPSocketAction")),
    ...under(`${prefix}.exec`, pod("ExecAction")),
    ...under(`${prefix}.grpc`, pod("GRPCAction")),
  };
}

function containerTexts(prefix: string): Texts {
  return {
    ...under(prefix, pod("Container")),
    [`${prefix}.ports`]: "At most one port, which takes the requests; its name `h2c` means HTTP/2 without TLS.",
    [`${prefix}.name`]: "The container's name; default `user-container`.",
    ...under(`${prefix}.ports`, pod("ContainerPort")),
    ...under(`${prefix}.env`, pod("EnvVar")),
    ...under(`${prefix}.env.valueFrom`, pod("EnvVarSource")),
    ...under(`${prefix}.env.valueFrom.configMapKeyRef`, pod("ConfigMapKeySelector")),
    ...under(`${prefix}.env.valueFrom.secretKeyRef`, pod("SecretKeySelector")),
    ...under(`${prefix}.envFrom`, pod("EnvFromSource")),
    ...under(`${prefix}.resources`, pod("ResourceRequirements")),
    ...under(`${prefix}.volumeMounts`, pod("VolumeMount")),
    ...under(`${prefix}.securityContext`, pod("SecurityContext")),
    ...probeTexts(`${prefix}.livenessProbe`),
    ...probeTexts(`${prefix}.readinessProbe`),
    ...probeTexts(`${prefix}.startupProbe`),
  };
}

function revisionSpecTexts(prefix: string): Texts {
  return {
    ...under(prefix, pod("PodSpec")),
    [`${prefix}.containerConcurrency`]: "How many requests a pod works on at once; 0 is no limit.",
    [`${prefix}.timeoutSeconds`]: "Seconds that a request may take.",
    [`${prefix}.responseStartTimeoutSeconds`]: "Seconds until the first byte of an answer.",
    [`${prefix}.idleTimeoutSeconds`]: "Seconds in which nothing of an answer comes.",
    ...containerTexts(`${prefix}.containers`),
    ...containerTexts(`${prefix}.initContainers`),
    ...under(`${prefix}.volumes`, pod("Volume")),
    ...under(`${prefix}.tolerations`, pod("Toleration")),
  };
}

const template = (prefix: string): Texts => ({
  [prefix]: "What the next revision is made from.",
  [`${prefix}.metadata`]: "Name, labels and annotations of the revision; annotations `autoscaling.knative.dev/…` say how it scales.",
  [`${prefix}.spec`]: "What runs.",
  ...revisionSpecTexts(`${prefix}.spec`),
});

export const statusTexts: Texts = {
  "status.annotations": "More about the state.",
  "status.conditions": "What can be said about it; `Ready` sums it up.",
  "status.conditions.type": "What it is about.",
  "status.conditions.status": "`True`, `False` or `Unknown`.",
  "status.conditions.reason": "Why, as a word for programs.",
  "status.conditions.message": "Why, as a sentence for people.",
  "status.conditions.lastTransitionTime": "When the status changed last.",
  "status.conditions.severity": "How bad it is when it does not hold; empty is an error.",
  "status.observedGeneration": "The generation that was acted upon.",
};

const addressTexts: Texts = {
  "status.address": "Where it takes requests from inside.",
  "status.address.url": "The address.",
  "status.url": "Where it takes requests from outside.",
};

function trafficTexts(prefix: string): Texts {
  return {
    [prefix]: "Which revisions get how much of the requests.",
    [`${prefix}.configurationName`]: "The latest ready revision of this Configuration.",
    [`${prefix}.latestRevision`]: "Whether the latest ready revision is meant.",
    [`${prefix}.percent`]: "Percent of the requests.",
    [`${prefix}.revisionName`]: "The revision.",
    [`${prefix}.tag`]: "A name under which the revision has an address of its own.",
    [`${prefix}.url`]: "The address of the tag.",
  };
}

const latest: Texts = {
  "status.latestCreatedRevisionName": "The revision that was made last.",
  "status.latestReadyRevisionName": "The latest revision that can take requests.",
};

export const whole = (text: string, status = "How far it has come."): Texts => ({ "": text, spec: "What is wanted.", status });

const SERVING = "dev.knative.serving.v1";
const AUTOSCALING = "dev.knative.internal.autoscaling.v1alpha1";
const NETWORKING = "dev.knative.internal.networking.v1alpha1";

export const knativeDescriptions: Readonly<Record<string, Texts>> = {
  [`${SERVING}.Service`]: {
    ...whole("A program that takes requests at an address, and runs as often as they need: its Route and its Configuration in one."),
    ...template("spec.template"),
    ...trafficTexts("spec.traffic"),
    ...statusTexts,
    ...addressTexts,
    ...trafficTexts("status.traffic"),
    ...latest,
  },
  [`${SERVING}.Configuration`]: { ...whole("What should run now; each change makes a new Revision."), ...template("spec.template"), ...statusTexts, ...latest },
  [`${SERVING}.Revision`]: {
    ...whole("One state of a program, which never changes; it runs in as many pods as its requests need, or in none."),
    ...revisionSpecTexts("spec"),
    ...statusTexts,
    "status.actualReplicas": "Pods that there are.",
    "status.desiredReplicas": "Pods that are wanted.",
    "status.containerStatuses": "The digests of its images.",
    "status.containerStatuses.name": "The container.",
    "status.containerStatuses.imageDigest": "The image with its digest.",
    "status.initContainerStatuses": "The digests of its init containers' images.",
    "status.logUrl": "Where its logs can be read.",
  },
  [`${SERVING}.Route`]: {
    ...whole("An address, and which revisions answer there."),
    ...trafficTexts("spec.traffic"),
    ...statusTexts,
    ...addressTexts,
    ...trafficTexts("status.traffic"),
  },
  [`${AUTOSCALING}.PodAutoscaler`]: {
    ...whole("Decides how many pods a revision has."),
    "spec.containerConcurrency": "How many requests a pod works on at once; 0 is no limit.",
    "spec.protocolType": "`http1` or `h2c`.",
    "spec.reachability": "Whether a route leads to the revision.",
    "spec.scaleTargetRef": "What is scaled.",
    ...statusTexts,
    "status.actualScale": "Pods that there are.",
    "status.desiredScale": "Pods that are wanted.",
    "status.metricsServiceName": "Where the pods are measured.",
    "status.serviceName": "Where requests go.",
  },
  [`${AUTOSCALING}.Metric`]: {
    ...whole("What is measured of a revision."),
    "spec.panicWindow": "The short window, in nanoseconds.",
    "spec.scrapeTarget": "Where it is measured.",
    "spec.stableWindow": "The long window, in nanoseconds.",
    ...statusTexts,
  },
  [`${NETWORKING}.Ingress`]: {
    ...whole("Hosts and paths, and where requests for them go."),
    "spec.httpOption": "`Enabled`, or `Redirected` to send plain HTTP to HTTPS.",
    "spec.rules": "Hosts and their paths.",
    "spec.rules.hosts": "The hosts.",
    "spec.rules.visibility": "`ExternalIP`, or `ClusterLocal` for requests from inside only.",
    "spec.rules.http": "The paths.",
    "spec.tls": "Certificates of hosts.",
    ...statusTexts,
    "status.privateLoadBalancer": "Where requests from inside are taken.",
    "status.publicLoadBalancer": "Where requests from outside are taken.",
  },
  [`${NETWORKING}.ServerlessService`]: {
    ...whole("The addresses of a revision: its pods, or who holds requests while there are none."),
    "spec.mode": "`Serve` sends requests to the pods, `Proxy` to those who hold them.",
    "spec.numActivators": "How many hold requests.",
    "spec.objectRef": "What makes the pods.",
    "spec.protocolType": "`http1` or `h2c`.",
    ...statusTexts,
    "status.privateServiceName": "The Service of the pods.",
    "status.serviceName": "The Service for requests.",
  },
  [`${NETWORKING}.Certificate`]: {
    ...whole("A certificate that hosts need."),
    "spec.dnsNames": "The hosts.",
    "spec.domain": "The domain of the hosts.",
    "spec.secretName": "The Secret that it is put into.",
    ...statusTexts,
    "status.http01Challenges": "Requests that an authority will send to prove the hosts.",
    "status.notAfter": "Until when it is valid.",
  },
  [`${NETWORKING}.ClusterDomainClaim`]: { ...whole("Says which namespace may use a domain; its name is the domain."), "spec.namespace": "The namespace." },
  "dev.knative.internal.caching.v1alpha1.Image": {
    ...whole("An image that should be at hand."),
    "spec.image": "The image.",
    "spec.imagePullSecrets": "Secrets with which it is pulled.",
    "spec.serviceAccountName": "The ServiceAccount with which it is pulled.",
    ...statusTexts,
  },
};
