// Where Node's parser refuses what we accept, and why that stays so. A refusal is never another framing.
import { METHODS as NODE_METHODS } from "node:http";
import type { Difference } from "./node-parser.ts";

const METHODS: ReadonlySet<string> = new Set(NODE_METHODS);

export interface Expectation {
  readonly name: string;
  readonly why: string;
  readonly fits: (difference: Difference) => boolean;
}

const refuses = (difference: Difference, code: string): boolean => difference.kind === `node refuses: ${code}`;

export const EXPECTATIONS: readonly Expectation[] = [
  {
    name: "methods that Node does not know",
    why: "any token is a method (RFC 9110 9.1), Go and nginx take it, and an application may define its own; Node has a fixed list",
    fits: (difference) => refuses(difference, "HPE_INVALID_METHOD") && !METHODS.has(difference.message?.start.split(" ")[0] ?? ""),
  },
  {
    name: "octets beyond ASCII in targets",
    why: "many clients send them unescaped, Go and nginx take them; no parser ends a target at one",
    fits: (difference) => refuses(difference, "HPE_INVALID_URL") && /[\x80-\xff]/.test(difference.message?.start ?? ""),
  },
  {
    name: "responses with chunks and a length",
    why: "Knative's queue-proxy goes by the chunks and takes the length away; so do we, and close the pod's connection (RFC 9112 6.3)",
    fits: (difference) =>
      (refuses(difference, "HPE_INVALID_TRANSFER_ENCODING") || refuses(difference, "HPE_INVALID_CONTENT_LENGTH")) &&
      difference.message?.chunkedWithLength === true &&
      !difference.message.keepAlive,
  },
  {
    name: "informational responses that say close",
    why: "Go's client, and so Knative's queue-proxy, waits for the final response all the same; `Connection` does not go on",
    fits: (difference) => refuses(difference, "HPE_CLOSED_CONNECTION") && difference.index > 0 && /^[0-9]+$/.test(difference.message?.start ?? ""),
  },
];
