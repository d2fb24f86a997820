// Whether TCP ports of this machine can be had.
import { BoundSocket } from "node:net";

/** A moment's truth: somebody else may take it next. */
export function isFree(port: number): boolean {
  try {
    new BoundSocket({ host: "0.0.0.0", port }).close();
    return true;
  } catch {
    return false;
  }
}

type Ports = Readonly<Record<string, number>>;

/** Host ports by container port, without those of `starting` that somebody took since they were recorded (after a reboot, say). */
export function stillFree(ports: Ports, starting: readonly { readonly containerPort: number }[] = []): Ports {
  const own = new Set(starting.map(({ containerPort }) => String(containerPort)));
  return Object.fromEntries(Object.entries(ports).filter(([port, host]) => !own.has(port) || isFree(host)));
}
