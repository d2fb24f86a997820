// The head of a request as the application gets it: forwarding headers, appended headers, Host.
import { keepLines } from "./head-scan.ts";
import type { ClientSide } from "../request/client-side.ts";
import type { RequestHead } from "./request-head.ts";
import type { Target } from "../routes/target.ts";

/** A head that a client connection sent on; equal requests to the same target get the same text. */
export interface ForwardMemo {
  head: RequestHead | undefined;
  target: Target | undefined;
  text: string;
  /** Of the head that was sent on last, whether it is remembered or not. */
  length: number;
}

/** The text for `head` from this client, from the memo when nothing differs. */
export function forwardedHead(head: RequestHead, target: Target, from: ClientSide): string {
  const memo = from.memo;
  if (memo.head === head && memo.target === target) return memo.text;
  const text = composeHead(head, target, from);
  // As the reader of requests does, see there: what is not repeated should die young.
  const repeats = head.text.length === memo.length;
  memo.head = repeats ? head : undefined;
  memo.target = repeats ? target : undefined;
  memo.text = repeats ? text : "";
  memo.length = head.text.length;
  return text;
}

/** What a peer that is not trusted says of the request's way. */
const FORWARDING: ReadonlySet<string> = new Set(["forwarded", "x-forwarded-host", "x-forwarded-proto"]);
const NOTHING_FORWARDED = { forwardedFor: "", forwardedHost: "", forwardedProto: "", hasForwarded: false };

function composeHead(head: RequestHead, target: Target, { address: clientAddress, isTrusted }: ClientSide): string {
  const overridden = target.overridden;
  const { forwardedFor: before, forwardedHost, forwardedProto, hasForwarded } = isTrusted ? head : NOTHING_FORWARDED;
  const goes = (name: string): boolean => overridden.has(name) || (!isTrusted && FORWARDING.has(name));
  const plain = overridden.size === 0 && (isTrusted || !head.tellsOfWay);
  const kept = plain ? head.kept : keepLines(head.text, head.fields, (i) => head.dropped.includes(i) || goes(nameAt(head, i)));
  const host = target.rewriteHost ?? head.authority;
  const forwardedFor = before === "" ? clientAddress : `${before}, ${clientAddress}`;
  const proto = forwardedProto === "" ? "http" : forwardedProto;
  let text = `${head.method} ${head.target} HTTP/1.1\r\nHost: ${host}\r\n${kept}`;
  if (!overridden.has("x-forwarded-for")) text += `X-Forwarded-For: ${forwardedFor}\r\n`;
  if (forwardedProto === "" && !overridden.has("x-forwarded-proto")) text += "X-Forwarded-Proto: http\r\n";
  if (!hasForwarded && !overridden.has("forwarded")) text += `Forwarded: ${forwardedElements(forwardedFor, forwardedHost, proto)}\r\n`;
  if (head.expectsContinue) text += "Expect: 100-continue\r\n";
  if (head.wantsTrailers) text += "TE: trailers\r\n";
  if (head.upgrade !== "") text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return `${text}${target.appended}\r\n`;
}

function nameAt(head: RequestHead, i: number): string {
  return head.text.slice(head.fields[i], head.fields[i + 1]).toLowerCase();
}

/** As Knative's queue-proxy builds it: one element an address, host and proto on the first one only. */
function forwardedElements(forwardedFor: string, host: string, proto: string): string {
  const comma = forwardedFor.indexOf(",");
  const first = `${forwardedElement(comma < 0 ? forwardedFor : forwardedFor.slice(0, comma))}${host === "" ? "" : `;host=${host}`};proto=${proto}`;
  if (comma < 0) return first;
  const others = forwardedFor.slice(comma + 1).split(",");
  return [first, ...others.map(forwardedElement)].join(", ");
}

function forwardedElement(part: string): string {
  const address = part.trim();
  return `for=${address.includes(":") && !address.startsWith("[") ? `"[${address}]"` : address}`;
}
