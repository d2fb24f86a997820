// ServerlessService → private Service, public Service, public Endpoints (serving.md 2.10).
//
// spec.mode   ready backends   activators   Endpoints hold   ActivatorEndpointsPopulated
// any         none             some         activators       True
// Proxy       some             some         activators       True
// Serve       some             any          backends         False
// Proxy       some             none         backends         True
// any         none             none         nothing          True
// Where the gateway is in every path, the Endpoints hold it in all cases; the condition tells what they would hold elsewhere.
import { serverlessServiceConditions as set } from "#kinds";
import type { Child, Plan, Refusal } from "#reconcile";
import type { Condition } from "#schema";
import { beginConditions } from "../status.ts";
import { activatorSubset } from "./activator-subset.ts";
import { activatorPorts, backendPorts, gatewayPorts, privateServiceFor, privateServiceName, publicEndpointsFor, publicServiceFor } from "./children.ts";
import type { ObservedServerlessService } from "./observe.ts";

const NOT_READY = "K8s Service is not ready";
const POPULATED = { reason: "ActivatorEndpointsPopulated", message: "Revision is backed by Activator" };
const ENDPOINTS = "EndpointsPopulated";

interface ServiceNames {
  readonly serviceName?: string;
  readonly privateServiceName?: string;
}

function statusOf({ service }: ObservedServerlessService, marks: readonly Condition[], names: ServiceNames): object {
  const { conditions: _conditions, observedGeneration: _generation, ...other } = service.status ?? {};
  return { ...other, ...names, observedGeneration: service.metadata.generation, conditions: set.sorted(marks) };
}

function endpointsFor({ service, backends, activators, gatewayPort }: ObservedServerlessService): Child {
  if (gatewayPort !== undefined) {
    const addresses = activators.map((ip) => ({ ip }));
    return publicEndpointsFor(service, addresses, gatewayPorts(service, gatewayPort));
  }
  const proxied = service.spec.mode === "Proxy" || backends.length === 0;
  if (!proxied || activators.length === 0) return publicEndpointsFor(service, backends, backendPorts(service));
  const chosen = activatorSubset(activators, service.spec.numActivators ?? 0, service.metadata.name);
  const addresses = chosen.map((ip) => ({ ip }));
  return publicEndpointsFor(service, addresses, activatorPorts(service));
}

function marksFor({ service, backends }: ObservedServerlessService, begun: Condition[]): Condition[] {
  const isPopulated = backends.length > 0;
  const marked = isPopulated ? set.markTrue(begun, ENDPOINTS) : set.markUnknown(begun, ENDPOINTS, { reason: "NoHealthyBackends", message: NOT_READY });
  const proxied = service.spec.mode === "Proxy" || !isPopulated;
  return set[proxied ? "markTrue" : "markFalse"](marked, "ActivatorEndpointsPopulated", POPULATED);
}

/** The step at which the server refused. */
function reasonFor({ service }: ObservedServerlessService, refusal: Refusal | undefined): string {
  if (refusal?.child.kind.kind === "Endpoints") return "CreatingPublicEndpoints";
  return refusal?.child.object.metadata.name === service.metadata.name ? "CreatingPublicService" : "CreatingPrivateService";
}

export function planServerlessService(observed: ObservedServerlessService): Plan {
  const { service, selector, foreign } = observed;
  const { name, namespace = "" } = service.metadata;
  if (service.metadata.deletionTimestamp !== undefined) return { desired: undefined };
  const begun = beginConditions(set, service);
  if (foreign !== undefined) {
    const marks = set.markFalse(begun, ENDPOINTS, { reason: "NotOwned", message: `Resource ${foreign.name} of type ${foreign.kind} is not owned by SKS` });
    return { desired: undefined, status: statusOf(observed, marks, {}), failure: `SKS: ${name} does not own ${foreign.kind}: ${foreign.name}` };
  }
  if (selector === undefined) {
    const target = service.spec.objectRef.name ?? "";
    const why = `error fetching Pod Scalable ${namespace}/${target}: deployments.apps "${target}" not found`;
    return { desired: undefined, status: statusOf(observed, begun, {}), failure: `error retrieving deployment selector spec: ${why}` };
  }
  return {
    desired: [privateServiceFor(service, selector), publicServiceFor(service), endpointsFor(observed)],
    status: statusOf(observed, marksFor(observed, begun), { serviceName: name, privateServiceName: privateServiceName(service) }),
    afterRefusal: ([refusal]: readonly Refusal[]) => ({
      status: statusOf(observed, set.markUnknown(begun, ENDPOINTS, { reason: reasonFor(observed, refusal), message: NOT_READY }), {}),
      events: [{ type: "Warning", reason: "InternalError", message: refusal?.error.message ?? "" }],
    }),
  };
}
