// Limits and peers of the gateway as a user sets them: annotations of a Service, and config-eider-gateway, live.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { eventually, findProgram, Platform, root } from "./platform.ts";

const HOST = "limited.default.localhost";

/** What comes back on one connection for `text`, until the gateway closes it. */
function exchange(platform: Platform, text: string): Promise<string> {
  const { hostname, port } = new URL(platform.state.http);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) });
    let answer = "";
    socket.on("data", (bytes: Buffer) => (answer += bytes.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", () => resolve(answer));
    socket.write(text, "latin1");
  });
}

const get = `GET / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
const settings = (data: Record<string, string>) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "config-eider-gateway", namespace: "knative-serving" },
  data,
});

test(
  "a Service limits its bodies, and the ConfigMap of the gateway holds at once",
  { skip: findProgram("kubectl") === undefined && "no kubectl" },
  async () => {
    const platform = await Platform.start();
    try {
      const built = await platform.eider("build", join(root, "test/e2e/apps/hello"), "--image", "dev.local/hello");
      assert.equal(built.code, 0, built.stderr);
      await platform.apply({
        apiVersion: "serving.knative.dev/v1",
        kind: "Service",
        metadata: { name: "limited", namespace: "default", annotations: { "eider.dev/request-body-bytes-max": "10" } },
        spec: { template: { spec: { containers: [{ image: "dev.local/hello" }] } } },
      });
      await eventually("the Service answers", async () => (await exchange(platform, get)).startsWith("HTTP/1.1 200 "));
      const post = (length: number): string =>
        `POST / HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Length: ${length}\r\n\r\n${"x".repeat(length)}`;
      assert.match(await exchange(platform, post(10)), /^HTTP\/1\.1 200 /);
      assert.match(await exchange(platform, post(11)), /^HTTP\/1\.1 413 Request Entity Too Large\r\n/);

      await assert.rejects(platform.apply(settings({ "proxy-protocol": "optional" })), /proxy-protocol = optional, must be "off" or "required"/);
      await platform.apply(settings({ "proxy-protocol": "required", "trusted-proxies": "127.0.0.1, ::1" }));
      // A thread is told by a message; requests without the header end without a word from then on.
      await eventually("the header is required", async () => (await exchange(platform, get)) === "");
      assert.match(await exchange(platform, `PROXY TCP4 203.0.113.7 127.0.0.1 1 2\r\n${get}`), /^HTTP\/1\.1 200 /);
      await platform.kubectl("delete", "configmap", "config-eider-gateway", "-n", "knative-serving");
      await eventually("it is required no more", async () => (await exchange(platform, get)).startsWith("HTTP/1.1 200 "));
    } finally {
      await platform.stop();
    }
  },
);
