// The Services and the Endpoints of a revision: a private pair that follows its pods, a public one that we steer.
import { childName, CoreService, Endpoints, networking, type EndpointAddress, type EndpointsPort, type ServerlessService, type ServicePort } from "#kinds";
import type { Child } from "#reconcile";
import type { Draft, DraftMeta } from "#schema";

/** Ports of the pods' and the activator's side of a Service (serving.md 4.1). */
const HTTP1_PORT = 8012;
const H2C_PORT = 8013;
const HTTPS_PORT = 8112;
const AUTO_METRIC_PORT = 9090;
const USER_METRIC_PORT = 9091;
const TCP = "TCP";

interface Names {
  readonly http: "http" | "http2";
  readonly target: number;
  readonly appProtocol: { readonly appProtocol?: string };
}

function namesOf({ spec }: ServerlessService): Names {
  const isH2c = spec.protocolType === "h2c";
  return { http: isH2c ? "http2" : "http", target: isH2c ? H2C_PORT : HTTP1_PORT, appProtocol: isH2c ? { appProtocol: "kubernetes.io/h2c" } : {} };
}

export function privateServiceName(service: ServerlessService): string {
  return childName(service.metadata.name, "-private");
}

function metadataFor(service: ServerlessService, name: string, type: "Private" | "Public"): DraftMeta {
  const { namespace = "", labels = {}, annotations = {} } = service.metadata;
  return { name, namespace, labels: { ...labels, [networking.serverlessService]: service.metadata.name, [networking.serviceType]: type }, annotations };
}

/** Ports and selector are ours, the rest of a Service's spec belongs to the server. */
function serviceChild(object: Draft<CoreService>): Child {
  const child: Child<CoreService> = {
    kind: CoreService,
    object,
    merge: (current, wanted) => ({ ...current, spec: { ...current.spec, ...wanted.spec } }),
  };
  return child as unknown as Child;
}

/** Selects the revision's pods. */
export function privateServiceFor(service: ServerlessService, selector: Readonly<Record<string, string>>): Child {
  const { http, target, appProtocol } = namesOf(service);
  const ports: ServicePort[] = [
    { name: http, protocol: TCP, ...appProtocol, port: 80, targetPort: target },
    { name: "https", protocol: TCP, port: 443, targetPort: HTTPS_PORT },
    { name: "http-autometric", protocol: TCP, port: AUTO_METRIC_PORT, targetPort: "http-autometric" },
    { name: "http-usermetric", protocol: TCP, port: USER_METRIC_PORT, targetPort: "http-usermetric" },
    { name: `${http}-istio`, protocol: TCP, port: target, targetPort: target },
  ];
  return serviceChild({
    apiVersion: "v1",
    kind: "Service",
    metadata: metadataFor(service, privateServiceName(service), "Private"),
    spec: { ports, selector: { ...selector } },
  });
}

/** Has no selector: its Endpoints are written by hand. */
export function publicServiceFor(service: ServerlessService): Child {
  const { http, target, appProtocol } = namesOf(service);
  const ports: ServicePort[] = [
    { name: http, protocol: TCP, ...appProtocol, port: http === "http2" ? 81 : 80, targetPort: target },
    { name: "https", protocol: TCP, port: 443, targetPort: HTTPS_PORT },
  ];
  return serviceChild({ apiVersion: "v1", kind: "Service", metadata: metadataFor(service, service.metadata.name, "Public"), spec: { ports } });
}

/** Ports of the pods' side, without those of metrics; in the order of their names. */
export function backendPorts(service: ServerlessService): EndpointsPort[] {
  const { http, target, appProtocol } = namesOf(service);
  return [
    { name: http, port: target, protocol: TCP, ...appProtocol },
    { name: `${http}-istio`, port: target, protocol: TCP },
    { name: "https", port: HTTPS_PORT, protocol: TCP },
  ];
}

export function activatorPorts(service: ServerlessService): EndpointsPort[] {
  const { http, target } = namesOf(service);
  return [
    { name: http, port: target, protocol: TCP },
    { name: "https", port: HTTPS_PORT, protocol: TCP },
  ];
}

/** The gateway has one port, without TLS. */
export function gatewayPorts(service: ServerlessService, port: number): EndpointsPort[] {
  const { http } = namesOf(service);
  return [{ name: http, port, protocol: TCP }];
}

/** No addresses, no subsets. */
export function publicEndpointsFor(service: ServerlessService, addresses: readonly EndpointAddress[], ports: EndpointsPort[]): Child {
  const object: Draft<Endpoints> = {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: metadataFor(service, service.metadata.name, "Public"),
    ...(addresses.length === 0 ? {} : { subsets: [{ addresses: [...addresses], ports }] }),
  };
  const child: Child<Endpoints> = {
    kind: Endpoints,
    object,
    merge: ({ subsets: _subsets, ...current }, { subsets }) => ({ ...current, ...(subsets === undefined ? {} : { subsets }) }),
  };
  return child as unknown as Child;
}
