// Checks of probes (serving.md §1.6).
import { disallowedFields, fieldError, invalidValue, missingOneOf, multipleOneOf, noErrors, outOfBounds, type FieldErrors } from "../knative-field-error.ts";
import type { Container, Probe } from "./container-schema.ts";

const INT32_MAX = 2_147_483_647;
const HANDLERS = ["exec", "grpc", "httpGet", "tcpSocket"] as const;

function checkHandlers(probe: Probe): FieldErrors {
  const given = HANDLERS.filter((handler) => probe[handler] !== undefined);
  if (given.length === 0) return missingOneOf(...HANDLERS);
  return given.length === 1 ? noErrors : multipleOneOf(...given);
}

const portOf = (probe: Probe): { readonly path: string; readonly port: string | number } | undefined =>
  probe.httpGet !== undefined
    ? { path: "httpGet.port", port: probe.httpGet.port ?? 0 }
    : probe.tcpSocket !== undefined
      ? { path: "tcpSocket.port", port: probe.tcpSocket.port ?? 0 }
      : undefined;

/** A named port must be the container's; a sidecar must say which port. */
function checkPort(probe: Probe, container: Container, isServing: boolean): FieldErrors {
  const target = portOf(probe);
  if (target === undefined) return noErrors;
  if (!isServing) return target.port === 0 || target.port === "" ? invalidValue(target.port, target.path, "Probe port must be specified") : noErrors;
  const names = (container.ports ?? []).map((port) => port.name);
  const named = typeof target.port === "string" && target.port !== "";
  return named && !names.includes(target.port) ? invalidValue(target.port, target.path, "Probe port must match container port") : noErrors;
}

export function checkProbe(probe: Probe | undefined, container: Container, isServing: boolean): FieldErrors {
  if (probe === undefined) return noErrors;
  return checkHandlers(probe).also(checkPort(probe, container, isServing));
}

/** A readiness probe of the serving container is run by the platform, down to fractions of a second. */
export function checkReadinessProbe(probe: Probe | undefined, container: Container, isServing: boolean): FieldErrors {
  if (probe === undefined) return noErrors;
  const {
    periodSeconds: period = 0,
    initialDelaySeconds: delay = 0,
    successThreshold: success = 0,
    timeoutSeconds: timeout = 0,
    failureThreshold: failure = 0,
  } = probe;
  let errors = checkProbe(probe, container, isServing);
  if (period < 0) errors = errors.also(outOfBounds(period, [0, INT32_MAX], "periodSeconds"));
  if (delay < 0) errors = errors.also(outOfBounds(delay, [0, INT32_MAX], "initialDelaySeconds"));
  if (success < 1) errors = errors.also(outOfBounds(success, [1, INT32_MAX], "successThreshold"));
  if (period === 0) {
    if (failure !== 0) errors = errors.also(fieldError("failureThreshold is disallowed when periodSeconds is zero", "failureThreshold"));
    if (timeout !== 0) errors = errors.also(fieldError("timeoutSeconds is disallowed when periodSeconds is zero", "timeoutSeconds"));
  } else {
    if (timeout < 1) errors = errors.also(outOfBounds(timeout, [1, INT32_MAX], "timeoutSeconds"));
    if (failure < 1) errors = errors.also(outOfBounds(failure, [1, INT32_MAX], "failureThreshold"));
  }
  return errors;
}

/** Sidecars have no probes unless the feature says so. Set members of the probe are named, too, where they are looked at. */
export function refuseSidecarProbes(container: Container): FieldErrors {
  const given = (["livenessProbe", "readinessProbe", "startupProbe"] as const).filter((name) => container[name] !== undefined);
  const errors = given.length === 0 ? noErrors : disallowedFields(...given);
  return container.readinessProbe?.successThreshold === undefined ? errors : errors.also(disallowedFields("readinessProbe.successThreshold"));
}
