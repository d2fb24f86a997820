// What an exchange asks of the connection that its request came on.
import type { ForwardMemo } from "../http/forward-head.ts";
import type { RequestHead } from "../http/request-head.ts";

/** The client's side of an exchange. */
export interface ClientSide {
  readonly address: string;
  /** What it says of other addresses is believed. */
  readonly isTrusted: boolean;
  /** The request came in where only programs of this machine can: it sees cluster-local names. */
  readonly isInside: boolean;
  readonly memo: ForwardMemo;
  /** The head of the latest request is one that the client sends again and again: it is kept, and so may be what is made of it. */
  repeats(head: RequestHead): boolean;
  /** False when the sender should wait for `clientDrained`. `written` is called once the bytes are not needed any more. */
  write(data: string | Buffer, written?: () => void): boolean;
  /** Stop and go on reading the request's body. */
  pause(): void;
  resume(): void;
  /** Limits the content of the request's body; false when it is known to be larger already. */
  limitBody(bytesMax: number): boolean;
  /** Takes a place of this host until the exchange is over; false when there is none left. */
  takePlace(host: string, requestsMax: number): boolean;
  /** The exchange is over and the response written; `keep` when the connection may carry another. */
  finished(keep: boolean): void;
  /** The exchange is over and the connection of no use; `reset` when an ordinary end would pass for the end of the response. */
  abort(reset: boolean): void;
  /** What the client sends from now on is for `fromClient`. */
  openTunnel(): void;
}
