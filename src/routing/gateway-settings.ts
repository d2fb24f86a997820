// From ConfigMaps to what all requests of a gateway have in common.
import type { ServingConfig } from "#kinds";
import type { GatewaySettings } from "#protocol";

export function gatewaySettings({ eiderGateway, observability }: Pick<ServingConfig, "eiderGateway" | "observability">): GatewaySettings {
  const { enableRequestLog, requestLogTemplate, enableProbeRequestLog } = observability;
  return {
    trustedProxies: eiderGateway.trustedProxies,
    clients: { proxyProtocol: eiderGateway.proxyProtocol, bodyIdleMs: eiderGateway.bodyIdleMs, connectionsMax: eiderGateway.connectionsMax },
    requestLog: enableRequestLog && requestLogTemplate !== "" ? { template: requestLogTemplate, probes: enableProbeRequestLog } : undefined,
  };
}
