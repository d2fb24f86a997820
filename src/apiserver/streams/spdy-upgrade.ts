// From HTTP/1.1 to SPDY/3.1: the headers of the request, the protocol that is agreed on, the 101.
import { badRequest, StatusError } from "#core";
import type { ApiRequest, ApiResponse } from "../port.ts";
import { listed, wantsUpgrade } from "./websocket.ts";

type Head = Pick<ApiRequest, "headers">;

export function isSpdyRequest(request: Head): boolean {
  return wantsUpgrade(request) && (request.headers["upgrade"] ?? "").toLowerCase().includes("spdy/3.1");
}

/** The first protocol of the client's list that is offered. Throws 400 without a list, 403 when there is none in common. */
export function streamProtocol({ headers }: Head, offered: readonly string[]): string {
  const asked = listed(headers["x-stream-protocol-version"]);
  if (asked.length === 0) throw badRequest("unable to upgrade: X-Stream-Protocol-Version is required");
  const found = asked.find((each) => offered.includes(each));
  if (found !== undefined) return found;
  const message = `unable to upgrade: unable to negotiate protocol: client supports [${asked.join(" ")}], server accepts [${offered.join(" ")}]`;
  throw new StatusError("Forbidden", message, { details: {} });
}

export function switchToSpdy(protocol: string, takeOver: NonNullable<ApiResponse["takeOver"]>): ApiResponse {
  return { status: 101, headers: { connection: "Upgrade", upgrade: "SPDY/3.1", "x-stream-protocol-version": protocol }, body: "", takeOver };
}
