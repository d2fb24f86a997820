// What Kubernetes refuses in probes.
import { fieldError, names, type FieldError } from "#schema";
import { notNegative, portErrors } from "./ranges.ts";
import type { Container, LifecycleHandler, Probe } from "./v1.types.ts";

const HANDLERS = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;
const SCHEMES = ["HTTP", "HTTPS"] as const;
const COUNTS = ["initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"] as const;

function portOrNameErrors(field: string, port: number | string | undefined): FieldError[] {
  if (typeof port === "string") return names.portName(port).map((detail) => fieldError.invalid(field, port, detail));
  return portErrors(field, port ?? 0);
}

function handlerErrors(field: string, handler: Probe & LifecycleHandler): FieldError[] {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler;
  const [first, ...others] = HANDLERS.filter((name) => handler[name] !== undefined);
  if (first === undefined) return [fieldError.required(field, "must specify a handler type")];
  const several = others.map((name) => fieldError.forbidden(`${field}.${name}`, "may not specify more than 1 handler type"));
  if (several.length > 0) return several;
  if (exec !== undefined) return (exec.command ?? []).length === 0 ? [fieldError.required(`${field}.exec.command`)] : [];
  if (tcpSocket !== undefined) return portOrNameErrors(`${field}.tcpSocket.port`, tcpSocket.port);
  if (sleep !== undefined) return notNegative(`${field}.sleep.seconds`, sleep.seconds);
  if (grpc !== undefined) return portErrors(`${field}.grpc.port`, grpc.port ?? 0);
  const scheme = httpGet?.scheme ?? "";
  return [
    ...(httpGet?.path ? [] : [fieldError.required(`${field}.httpGet.path`)]),
    ...portOrNameErrors(`${field}.httpGet.port`, httpGet?.port),
    ...((SCHEMES as readonly string[]).includes(scheme) ? [] : [fieldError.notSupported(`${field}.httpGet.scheme`, scheme, SCHEMES)]),
  ];
}

/** Errors of what a container does after its start and before its end. */
export function lifecycleErrors(field: string, lifecycle: Container["lifecycle"]): FieldError[] {
  const { postStart, preStop } = lifecycle ?? {};
  return [
    ...(postStart === undefined ? [] : handlerErrors(`${field}.postStart`, postStart)),
    ...(preStop === undefined ? [] : handlerErrors(`${field}.preStop`, preStop)),
  ];
}

/** Errors of one probe after defaults, at `field`. Liveness and startup succeed at once; only they may end a container. */
export function probeErrors(field: string, use: "liveness" | "readiness" | "startup", probe: Probe | undefined): FieldError[] {
  if (probe === undefined) return [];
  const { successThreshold = 1, terminationGracePeriodSeconds: grace } = probe;
  const wrong = [...handlerErrors(field, probe), ...COUNTS.flatMap((name) => notNegative(`${field}.${name}`, probe[name]))];
  if (use !== "readiness") {
    if (grace !== undefined && grace <= 0) wrong.push(fieldError.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must be greater than 0"));
    if (successThreshold !== 1) wrong.push(fieldError.invalid(`${field}.successThreshold`, successThreshold, "must be 1"));
  } else if (grace !== undefined) {
    wrong.push(fieldError.invalid(`${field}.terminationGracePeriodSeconds`, grace, "must not be set for readinessProbes"));
  }
  return wrong;
}
