// One connection carried to where a Service leads: the first of its endpoints that accepts it.
import { connect, type Socket } from "node:net";

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Endpoints that refuse, or do not answer in time, before the connection is reset. */
const TRIES = 3;
const CONNECT_MS_MAX = 5_000;

/** `targets` in the order in which they are tried. Without one that accepts, the other side sees a reset. */
export function relay(inside: Socket, targets: readonly Target[]): void {
  inside.setNoDelay(true);
  inside.pause();
  inside.on("error", () => undefined);
  const attempt = (index: number): void => {
    const target = targets[index];
    if (target === undefined || index >= TRIES || inside.destroyed) return void inside.resetAndDestroy();
    const outside = connect({ ...target, allowHalfOpen: true, noDelay: true, timeout: CONNECT_MS_MAX });
    const failed = (): void => {
      outside.removeAllListeners().on("error", () => undefined);
      outside.destroy();
      attempt(index + 1);
    };
    const gone = (): void => void outside.destroy();
    inside.once("close", gone);
    outside.once("timeout", failed).once("error", failed);
    outside.once("connect", () => {
      outside.off("timeout", failed).off("error", failed).setTimeout(0);
      inside.off("close", gone);
      join(inside, outside);
    });
  };
  attempt(0);
}

function join(inside: Socket, outside: Socket): void {
  inside.pipe(outside).pipe(inside);
  const both = [inside, outside] as const;
  for (const [one, other] of [both, both.toReversed() as [Socket, Socket]]) {
    one.on("error", () => other.destroy());
    one.on("close", () => other.destroy());
  }
}
