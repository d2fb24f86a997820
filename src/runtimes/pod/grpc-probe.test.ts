// Probes over gRPC against a server that answers as it is told.
import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { grpcProbe } from "./grpc-probe.ts";

async function serving(t: TestContext, answer: readonly number[], status = "0") {
  const asked: { path: string; body: Buffer }[] = [];
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      asked.push({ path: String(headers[":path"]), body: Buffer.concat(chunks) });
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": status }));
      stream.end(answer.length === 0 ? undefined : Buffer.from([0, 0, 0, 0, answer.length, ...answer]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  return { asked, at: { host: "127.0.0.1", port: (server.address() as AddressInfo).port } };
}

const rows: readonly { readonly name: string; readonly answer: readonly number[]; readonly status?: string; readonly want: RegExp | undefined }[] = [
  { name: "serving", answer: [0x08, 1], want: undefined },
  { name: "not serving", answer: [0x08, 2], want: /^service unhealthy \(responded with "NOT_SERVING"\)$/ },
  { name: "unknown", answer: [], want: /"UNKNOWN"/ },
  { name: "no such protocol", answer: [], status: "12", want: /does not implement the grpc health protocol/ },
  { name: "no such service", answer: [], status: "5", want: /grpc status 5$/ },
];
for (const { name, answer, status, want } of rows) {
  test(`grpcProbe: ${name}`, async (t) => {
    const { at, asked } = await serving(t, answer, status);
    const result = await grpcProbe(at, "my.Service", 5_000);
    if (want === undefined) assert.equal(result, undefined);
    else assert.match(result ?? "", want);
    assert.deepEqual(asked, [{ path: "/grpc.health.v1.Health/Check", body: Buffer.from("\0\0\0\0\x0c\x0a\x0amy.Service") }]);
  });
}

test("grpcProbe: nobody listens", async () => {
  assert.match((await grpcProbe({ host: "127.0.0.1", port: 1 }, "", 5_000)) ?? "", /^error: failed to connect service at "127\.0\.0\.1:1": .*ECONNREFUSED/);
});
