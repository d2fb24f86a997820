// A connection that was upgraded, and its end when the gateway ends it: a websocket's client is told, and closes in order.
import { FrameBoundary } from "../http/frame-boundary.ts";
import type { Chunk } from "../pods/pod-connection.ts";
import type { Outcome } from "./request-facts.ts";

/** How long a tunnel lives on with a pod that is out of the table: Knative's limit for hijacked connections. */
export const LEAVING_MS = 60_000;
/** How long the two sides of a websocket get to close in order. */
export const CLOSING_MS = 5_000;

/** "Going away" (RFC 6455 7.4.1). */
const GOING_AWAY = 1001;

export interface Ending {
  readonly outcome: Outcome;
  /** For the client; short ASCII. */
  readonly reason: string;
}

export class Tunnel {
  /** Where the application's frames end; undefined when it is no websocket. */
  readonly #frames: FrameBoundary | undefined;
  /** Set once the gateway ends it. */
  ending: Ending | undefined;
  /** The client has got the gateway's Close, after which no frame may come (RFC 6455 5.5.1). */
  told = false;

  constructor(upgrade: string) {
    this.#frames = upgrade.toLowerCase() === "websocket" ? new FrameBoundary() : undefined;
  }

  get isWebsocket(): boolean {
    return this.#frames !== undefined;
  }

  /** Octets that go to the client. */
  passes({ bytes, from, to }: Chunk): void {
    this.#frames?.feed(bytes, from, to);
  }

  /**
   * The Close frame for the client, once, as soon as it does not come in the middle of another frame. The client answers with its own,
   * which goes to the application: so both sides learn of the end in their protocol, and only one direction is followed.
   */
  farewell(): string | undefined {
    if (this.ending === undefined || this.told || this.#frames?.isBetween !== true) return undefined;
    this.told = true;
    const { reason } = this.ending;
    return String.fromCharCode(0x88, 2 + reason.length, GOING_AWAY >> 8, GOING_AWAY & 255) + reason;
  }
}
