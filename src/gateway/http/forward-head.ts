// The head of a request as the application gets it: forwarding headers, appended headers, Host.
import { keepLines } from "./head-scan.ts";
import type { ClientSide } from "../request/client-side.ts";
import type { RequestHead } from "./request-head.ts";
import type { Target } from "../routes/target.ts";

/** A head that a client repeats as it was sent on; equal requests to the same target get the same text. */
export interface ForwardMemo {
  head: RequestHead | undefined;
  target: Target | undefined;
  text: string;
  /** An address, and our lines for a request that came from there and has no way behind it. */
  address: string;
  way: string;
}

export function noMemo(): ForwardMemo {
  return { head: undefined, target: undefined, text: "", address: "", way: "" };
}

/** The text for `head` from this client, from the memo when nothing differs. */
export function forwardedHead(head: RequestHead, target: Target, from: ClientSide): string {
  const memo = from.memo;
  if (memo.head === head && memo.target === target) return memo.text;
  const text = composeHead(head, target, from);
  const repeats = from.repeats(head);
  if (!repeats && memo.head === undefined) return text;
  memo.head = repeats ? head : undefined;
  memo.target = repeats ? target : undefined;
  memo.text = repeats ? text : "";
  return text;
}

/** What a peer that is not trusted says of the request's way. */
const FORWARDING: ReadonlySet<string> = new Set(["forwarded", "x-forwarded-host", "x-forwarded-proto"]);
const NOTHING_FORWARDED = { forwardedFor: "", forwardedHost: "", forwardedProto: "", hasForwarded: false };

function composeHead(head: RequestHead, target: Target, from: ClientSide): string {
  const { address: clientAddress, isTrusted } = from;
  const overridden = target.overridden;
  if (overridden.size === 0 && !head.tellsOfWay && (!isTrusted || head.forwardedFor === ""))
    return `${startOf(head, target)}${wayFrom(from)}${hopLines(head)}\r\n`;
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
  return `${text}${hopLines(head)}${target.appended}\r\n`;
}

/** Request line, Host and the lines that go on: as they came where that is the same, since few pieces are put together sooner. */
function startOf(head: RequestHead, { rewriteHost }: Target): string {
  if (head.asCame && rewriteHost === undefined) return head.text.slice(0, -2);
  return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${rewriteHost ?? head.authority}\r\n${head.kept}`;
}

function wayFrom({ address, memo }: ClientSide): string {
  if (memo.address !== address || memo.way === "") {
    memo.address = address;
    const way = `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: http\r\nForwarded: ${forwardedElements(address, "", "http")}\r\n`;
    // In one piece: as V8 puts it together it stays seven, for as long as the connection.
    memo.way = Buffer.from(way, "latin1").toString("latin1");
  }
  return memo.way;
}

/** What is of this hop and the next one alike. */
function hopLines(head: RequestHead): string {
  let lines = "";
  if (head.expectsContinue) lines += "Expect: 100-continue\r\n";
  if (head.wantsTrailers) lines += "TE: trailers\r\n";
  if (head.upgrade !== "") lines += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  return lines;
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
