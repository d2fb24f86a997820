// A probe over grpc.health.v1.Health/Check: one unary call by Node's http2, its two messages by hand.
import { connect, constants, type IncomingHttpHeaders } from "node:http2";
import type { PodAddress } from "../addresses.ts";

const SERVING = 1;
/** A frame of gRPC: whether it is compressed, and its length. */
const HEAD_BYTES = 5;
const ANSWER_BYTES_MAX = 1 << 10;
const STATUS: Readonly<Record<number, string>> = { 0: "UNKNOWN", 2: "NOT_SERVING", 3: "SERVICE_UNKNOWN" };

/** Undefined when it serves; else what went wrong, for people. */
export function grpcProbe({ host, port }: PodAddress, service: string, timeoutMs: number): Promise<string | undefined> {
  const at = `${host}:${port}`;
  return new Promise((resolve) => {
    const session = connect(`http://${host.includes(":") ? `[${host}]` : host}:${port}`);
    const end = (result: string | undefined): void => {
      session.destroy();
      resolve(result);
    };
    session.setTimeout(timeoutMs, () => end(`timeout: failed to connect service ${JSON.stringify(at)} within ${timeoutMs / 1000}s: context deadline exceeded`));
    session.once("error", (error) => end(`error: failed to connect service at ${JSON.stringify(at)}: ${error.message}`));
    const call = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: "/grpc.health.v1.Health/Check",
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": "kube-probe/1.34",
    });
    let answer: Buffer = Buffer.alloc(0);
    let status: string | undefined;
    const note = (headers: IncomingHttpHeaders): void => {
      status = (headers["grpc-status"] as string | undefined) ?? status;
    };
    call.on("response", note);
    call.on("trailers", note);
    call.on("data", (chunk: Buffer) => {
      answer = Buffer.concat([answer, chunk]);
      if (answer.length > ANSWER_BYTES_MAX) end(`error: health rpc of ${JSON.stringify(at)} answered too much`);
    });
    // One that ends with its session is told by the session.
    call.once("error", (error) => session.destroyed || session.connecting || end(`error: health rpc failed: ${error.message}`));
    call.once("end", () => end(verdict(answer, status)));
    call.end(request(service));
  });
}

/** HealthCheckRequest: field 1 is the service. */
function request(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([0x0a]), varint(name.length), name]);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let left = value; ; left >>>= 7) {
    if (left < 0x80) return Buffer.from([...bytes, left]);
    bytes.push((left & 0x7f) | 0x80);
  }
}

/** HealthCheckResponse: field 1 is the status, left out when it is UNKNOWN. */
function verdict(answer: Buffer, status: string | undefined): string | undefined {
  if (status === "12") return "error: this server does not implement the grpc health protocol (grpc.health.v1.Health)";
  if (status !== undefined && status !== "0") return `error: health rpc failed: grpc status ${status}`;
  const value = answer[HEAD_BYTES] === 0x08 ? (answer[HEAD_BYTES + 1] ?? 0) : 0;
  return value === SERVING ? undefined : `service unhealthy (responded with ${JSON.stringify(STATUS[value] ?? String(value))})`;
}
