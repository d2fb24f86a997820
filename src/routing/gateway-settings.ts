// From ConfigMaps to what all requests of a gateway have in common.
import type { ServingConfig } from "#kinds";
import type { GatewaySettings } from "#protocol";

export function gatewaySettings({ eiderGateway, observability }: Pick<ServingConfig, "eiderGateway" | "observability">): GatewaySettings {
  const { enableRequestLog, requestLogTemplate, enableProbeRequestLog } = observability;
  return {
    trustedProxies: eiderGateway.trustedProxies,
    clients: { proxyProtocol: eiderGateway.proxyProtocol, bodyIdleMs: eiderGateway.bodyIdleMs, connectionsMax: eiderGateway.connectionsMax },
    accessLog: eiderGateway.accessLog,
    tracing: tracingOf(observability.tracing),
    requestLog: enableRequestLog && requestLogTemplate !== "" ? { template: requestLogTemplate, probes: enableProbeRequestLog } : undefined,
  };
}

/** As Knative's programs choose a sampler: all for `stdout`, else by the rate, none at 0. */
export function tracingOf({ protocol, samplingRate }: ServingConfig["observability"]["tracing"]): GatewaySettings["tracing"] {
  const rate = protocol === "none" ? 0 : protocol === "stdout" ? 1 : samplingRate;
  return rate > 0 ? { rate } : undefined;
}
