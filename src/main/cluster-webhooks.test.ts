// The webhooks' listener: a review over HTTPS under its own authority, and what is no review.
import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { test, type TestContext } from "node:test";
import { silentLogger } from "#core";
import { systemClock } from "#host";
import { defaultServingConfig, Service } from "#kinds";
import type { Kind } from "#schema";
import { startWebhooks, type Webhooks } from "./cluster-webhooks.ts";

const kinds = [Service as unknown as Kind];

async function webhooks(t: TestContext, config = defaultServingConfig): Promise<Webhooks & { readonly errors: string[] }> {
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (message: string) => void errors.push(message) };
  const transport = { send: () => Promise.reject(new Error("nothing is tried")) };
  const started = await startWebhooks({ kinds, config, transport, host: "127.0.0.1", port: 0, nowWallMs: systemClock.wallMs(), logger });
  t.after(() => started.close());
  return { ...started, errors };
}

async function post({ url, caPem }: Webhooks, path: string, body: string | Buffer): Promise<{ readonly code: number | undefined; readonly text: string }> {
  const sent = request(url + path, { method: "POST", ca: caPem, agent: false });
  sent.on("error", () => {});
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) text += chunk;
  return { code: response.statusCode, text };
}

const service = {
  apiVersion: "serving.knative.dev/v1",
  kind: "Service",
  metadata: { name: "hello" },
  spec: { template: { spec: { containers: [{ image: "a" }] } } },
};
const review = JSON.stringify({
  request: { uid: "u", kind: { group: "serving.knative.dev", kind: "Service" }, operation: "CREATE", userInfo: { username: "anna" }, object: service },
});

test("webhooks answer a review over HTTPS, vouched for by their own authority", async (t) => {
  const { code, text } = await post(await webhooks(t), "/defaulting", review);
  const { response } = JSON.parse(text) as { response: { uid: string; allowed: boolean; patchType: string } };
  assert.deepEqual([code, response.uid, response.allowed, response.patchType], [200, "u", true, "JSONPatch"]);
});

const table = [
  { name: "a body that is not JSON", path: "/defaulting", body: "{", code: 400, text: "the body is not JSON" },
  { name: "JSON that is no review", path: "/defaulting", body: "{}", code: 400, text: "the body is no AdmissionReview of admission.k8s.io/v1 with a request" },
  { name: "a path that nobody serves", path: "/elsewhere", body: review, code: 404, text: "no webhook is served at /elsewhere" },
  { name: "a body over the limit", path: "/defaulting", body: Buffer.alloc((8 << 20) + 1, " "), code: 413, text: "the body is larger than 8388608 bytes" },
];
for (const { name, path, body, code, text } of table) {
  test(`webhooks refuse ${name}`, async (t) => assert.deepEqual(await post(await webhooks(t), path, body), { code, text }));
}

test("a failure of ours is a 500 without its text, and is logged", async (t) => {
  const broken = await webhooks(t, () => {
    throw new Error("secret");
  });
  assert.deepEqual(await post(broken, "/defaulting", review), { code: 500, text: "internal error" });
  assert.deepEqual(broken.errors, ["a review was not answered"]);
});
