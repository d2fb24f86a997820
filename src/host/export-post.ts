// One export to a collector of telemetry: OTLP over HTTP, or as a unary call of gRPC.
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { connect } from "node:http2";
import { request as httpsRequest } from "node:https";

export interface ExportPost {
  readonly url: URL;
  readonly body: Buffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** OTLP/HTTP in protobuf. Resolves with the status; rejects when there is none. */
export function otlpHttpPost({ url, body, timeoutMs, signal }: ExportPost): Promise<number> {
  const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
  const options = { method: "POST", headers, agent: false, timeout: timeoutMs, signal };
  return new Promise((resolve, reject) => {
    const answered = (answer: IncomingMessage): void => {
      // What it says beside its status is of no use here.
      answer.resume();
      answer.on("end", () => resolve(answer.statusCode ?? 0));
      answer.on("error", reject);
    };
    const outgoing: ClientRequest = url.protocol === "https:" ? httpsRequest(url, options, answered) : httpRequest(url, options, answered);
    outgoing.on("timeout", () => outgoing.destroy(new Error("context deadline exceeded")));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

const METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** OTLP/gRPC. Resolves with gRPC's status (0 is OK); rejects when there is none. */
export function otlpGrpcPost({ url, body, timeoutMs, signal }: ExportPost): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connect(url);
    const stream = session.request(
      { ":method": "POST", ":path": METHOD, "content-type": "application/grpc", te: "trailers", "grpc-timeout": `${timeoutMs}m` },
      { signal },
    );
    let status: number | undefined;
    const note = (headers: Readonly<Record<string, unknown>>): void => {
      if (headers["grpc-status"] !== undefined) status = Number(headers["grpc-status"]);
    };
    const ended = (error?: Error): void => {
      session.destroy();
      if (status === undefined) reject(error ?? new Error("the call ended without a status"));
      else resolve(status);
    };
    session.on("error", ended);
    stream.setTimeout(timeoutMs, () => ended(new Error("context deadline exceeded")));
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("error", ended);
    stream.on("close", () => ended());
    stream.resume();
    const head = Buffer.alloc(5);
    head.writeUInt32BE(body.length, 1);
    stream.end(Buffer.concat([head, body]));
  });
}
