// How requests reach the pods of a Revision: what its spec says about its serving container. Pure.
import type { Revision } from "./revision.ts";

type UserContainer = Revision["spec"]["containers"][number];

/** The container that takes the requests: the only one, or the one with a port. */
export function servingContainerOf(revision: Revision): UserContainer | undefined {
  const { containers } = revision.spec;
  return containers.length === 1 ? containers[0] : (containers.find((container) => (container.ports ?? []).length > 0) ?? containers[0]);
}

/** The port that the serving container listens on. */
export function userPortOf(revision: Revision): number {
  const port = servingContainerOf(revision)?.ports?.[0]?.containerPort ?? 0;
  return port === 0 ? 8080 : port;
}

/** `h2c` when the port is named so. */
export function protocolOf(revision: Revision): "http1" | "h2c" {
  return (servingContainerOf(revision)?.ports ?? []).some((port) => port.name === "h2c") ? "h2c" : "http1";
}
