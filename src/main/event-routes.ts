// Ways of events through the gateway: names of the events thread's listener, and of plain Services that events are sent to.
// They are Ingresses that stand in no store: the gateway's table takes them like all others, and objects of users go before them.
import { CLUSTER_DOMAIN, EIDER_INGRESS_CLASS, networking, type CoreService, type EndpointSlice, type Ingress } from "#kinds";

/** In no store either: a namespace that no user can have a Service in. */
const HIDDEN_NAMESPACE = "-events";
const LISTENER = "listener";
/** Whoever claims the same host in an object of his own is older. */
const YOUNGEST = "9999-12-31T23:59:59Z";
const LOCAL_SUFFIX = `.svc.${CLUSTER_DOMAIN}`;

interface HiddenRule {
  readonly hosts: readonly string[];
  readonly visibility: "ClusterLocal" | "ExternalIP";
}

interface Target {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
}

function hiddenIngress(name: string, rules: readonly HiddenRule[], { namespace, service, port }: Target): Ingress {
  const paths = [{ splits: [{ serviceNamespace: namespace, serviceName: service, servicePort: port, percent: 100 }] }];
  return {
    apiVersion: "networking.internal.knative.dev/v1alpha1",
    kind: "Ingress",
    metadata: {
      name,
      namespace: HIDDEN_NAMESPACE,
      uid: name,
      resourceVersion: "1",
      generation: port,
      creationTimestamp: YOUNGEST,
      annotations: { [networking.ingressClass]: EIDER_INGRESS_CLASS },
    },
    spec: { rules: rules.map((rule) => ({ ...rule, http: { paths } })) },
  } as unknown as Ingress;
}

/** All that leads to the events thread's listener but the names of channels. `outer`: its name for people outside. */
export function listenerRoutes(
  hosts: readonly string[],
  { port, outer }: { readonly port: number; readonly outer: string | undefined },
): { readonly ingress: Ingress; readonly service: CoreService; readonly slice: EndpointSlice } {
  const rules: HiddenRule[] = [{ hosts, visibility: "ClusterLocal" }];
  if (outer !== undefined) rules.push({ hosts: [outer], visibility: "ExternalIP" });
  const metadata = { name: LISTENER, namespace: HIDDEN_NAMESPACE, uid: LISTENER, resourceVersion: "1", creationTimestamp: YOUNGEST };
  return {
    ingress: hiddenIngress(LISTENER, rules, { namespace: HIDDEN_NAMESPACE, service: LISTENER, port: 80 }),
    service: { apiVersion: "v1", kind: "Service", metadata, spec: { ports: [{ name: "http", port: 80 }] } } as unknown as CoreService,
    slice: {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...metadata, labels: { "kubernetes.io/service-name": LISTENER } },
      addressType: "IPv4",
      ports: [{ name: "http", port }],
      endpoints: [{ addresses: ["127.0.0.1"] }],
    } as unknown as EndpointSlice,
  };
}

/** Leads the name of a channel to the listener. */
export function channelRoute(host: string): Ingress {
  return hiddenIngress(`channel.${host}`, [{ hosts: [host], visibility: "ClusterLocal" }], { namespace: HIDDEN_NAMESPACE, service: LISTENER, port: 80 });
}

/** Of a Service's name inside the cluster: the plain Service that it is the name of, at the URL's port. */
export function serviceOf(url: string): Target | undefined {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.protocol !== "http:" || !parsed.hostname.endsWith(LOCAL_SUFFIX)) return undefined;
  const [service, namespace, ...more] = parsed.hostname.slice(0, -LOCAL_SUFFIX.length).split(".");
  if (service === undefined || namespace === undefined || more.length > 0) return undefined;
  return { namespace, service, port: parsed.port === "" ? 80 : Number(parsed.port) };
}

/** Makes the name of a plain Service one that the gateway serves inside. */
export function serviceRoute(target: Target): Ingress {
  const { namespace, service } = target;
  return hiddenIngress(`${service}.${namespace}`, [{ hosts: [`${service}.${namespace}${LOCAL_SUFFIX}`], visibility: "ClusterLocal" }], target);
}
