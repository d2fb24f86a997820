// The head of a request as the application gets it: forwarding headers, appended headers, Host.
import { keepLines } from "./head-scan.ts";
import type { RequestHead } from "./request-head.ts";
import type { Target } from "./routing-table.ts";

/** The last head that a client connection sent on; equal requests to the same target get the same text. */
export interface ForwardMemo {
  head: RequestHead | undefined;
  target: Target | undefined;
  text: string;
}

/** The text for `head` from a client at `clientAddress`, from the memo when nothing differs. */
export function forwardedHead(head: RequestHead, target: Target, from: { readonly clientAddress: string; readonly memo: ForwardMemo }): string {
  const memo = from.memo;
  if (memo.head === head && memo.target === target) return memo.text;
  memo.head = head;
  memo.target = target;
  memo.text = composeHead(head, target, from.clientAddress);
  return memo.text;
}

function composeHead(head: RequestHead, target: Target, clientAddress: string): string {
  const overridden = target.overridden;
  const kept = overridden.size === 0 ? head.kept : keepLines(head.text, head.fields, (i) => head.dropped.has(i) || overridden.has(nameAt(head, i)));
  const host = target.rewriteHost ?? head.authority;
  const forwardedFor = head.forwardedFor === "" ? clientAddress : `${head.forwardedFor}, ${clientAddress}`;
  const proto = head.forwardedProto === "" ? "http" : head.forwardedProto;
  let text = `${head.method} ${head.target} HTTP/1.${head.minor}\r\nHost: ${host}\r\n${kept}`;
  if (!overridden.has("x-forwarded-for")) text += `X-Forwarded-For: ${forwardedFor}\r\n`;
  if (head.forwardedProto === "" && !overridden.has("x-forwarded-proto")) text += "X-Forwarded-Proto: http\r\n";
  if (!head.hasForwarded && !overridden.has("forwarded")) text += `Forwarded: ${forwardedElements(forwardedFor, head.forwardedHost, proto)}\r\n`;
  if (head.expectsContinue) text += "Expect: 100-continue\r\n";
  if (head.wantsTrailers) text += "TE: trailers\r\n";
  if (head.upgrade !== "") text += `Connection: Upgrade\r\nUpgrade: ${head.upgrade}\r\n`;
  else if (head.minor === 0) text += "Connection: keep-alive\r\n";
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
