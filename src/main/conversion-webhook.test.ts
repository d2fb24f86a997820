// Tests of conversions by webhooks: over HTTPS with the definition's own authority, and what is told when one fails.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { isReason, SeededRng } from "#core";
import { systemClock } from "#host";
import { servingCertificate } from "#host/certificates";
import { httpsPost } from "#host/https";
import type { CustomResourceDefinition } from "#kinds";
import type { KubeObject } from "#schema";
import { conversionWebhooks } from "./conversion-webhook.ts";

type Answer = (request: { uid: string; desiredAPIVersion: string; objects: KubeObject[] }) => object;

const folder = mkdtempSync(join(tmpdir(), "eider-webhook-"));
const tls = await servingCertificate(folder, ["127.0.0.1", "localhost"], systemClock.wallMs());
rmSync(folder, { recursive: true });

/** Converts an object with a webhook that answers so. */
async function convert(answer: Answer, objects: readonly KubeObject[], ca = tls.caPem): Promise<readonly KubeObject[]> {
  const server = createServer({ key: tls.keyPem, cert: tls.certPem }, (request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      const review = JSON.parse(body) as { request: Parameters<Answer>[0] };
      response.end(JSON.stringify({ apiVersion: "apiextensions.k8s.io/v1", kind: "ConversionReview", response: answer(review.request) }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const webhook = {
    conversionReviewVersions: ["v1"],
    clientConfig: { url: `https://localhost:${port}/convert`, caBundle: Buffer.from(ca).toString("base64") },
  };
  const definition = { spec: { conversion: { strategy: "Webhook", webhook } } } as unknown as CustomResourceDefinition;
  const at: typeof httpsPost = (call) => httpsPost({ ...call, at: { host: "127.0.0.1", port } });
  try {
    return await conversionWebhooks({ client: () => assert.fail("no service"), rng: new SeededRng(1), post: at })(definition)(objects, "x.dev/v2");
  } finally {
    server.close();
  }
}

const thing = (name: string, version = "v1"): KubeObject =>
  ({
    apiVersion: `x.dev/${version}`,
    kind: "Thing",
    metadata: { name, uid: name, resourceVersion: "5", creationTimestamp: "" },
    spec: { old: name },
  }) as KubeObject;
const success = { status: "Success" };
const renamed = (objects: KubeObject[]): object[] =>
  objects.map((object) => ({
    ...object,
    apiVersion: "x.dev/v2",
    metadata: { ...object.metadata, resourceVersion: "9", labels: { a: "b" } },
    spec: { fresh: true },
  }));

test("a webhook converts what is of another version, and changes no metadata but labels and annotations", async () => {
  const seen: string[][] = [];
  const converted = await convert(
    ({ uid, objects }) => {
      seen.push(objects.map(({ metadata }) => metadata.name));
      return { uid, result: success, convertedObjects: renamed(objects) };
    },
    [thing("a"), thing("b", "v2"), thing("c")],
  );
  assert.deepEqual(seen, [["a", "c"]]);
  assert.deepEqual(
    converted.map(({ apiVersion, metadata }) => [apiVersion, metadata.name, metadata.resourceVersion, metadata.labels]),
    [
      ["x.dev/v2", "a", "5", { a: "b" }],
      ["x.dev/v2", "b", "5", undefined],
      ["x.dev/v2", "c", "5", { a: "b" }],
    ],
  );
});

const FAILED = "conversion webhook for x.dev/v1, Kind=Thing";

for (const { name, answer, want } of [
  { name: "says why it failed", answer: ({ uid }) => ({ uid, result: { status: "Failure", message: "no idea" } }), want: `${FAILED} failed: no idea` },
  { name: "answers another question", answer: () => ({ uid: "other", result: success }), want: /failed: expected response.uid="[^"]+", got "other"$/ },
  { name: "loses objects", answer: ({ uid }) => ({ uid, result: success, convertedObjects: [] }), want: `${FAILED} returned 0 objects, expected 1` },
  {
    name: "leaves the version as it was",
    answer: ({ uid, objects }) => ({ uid, result: success, convertedObjects: objects }),
    want: `${FAILED} returned invalid converted object at index 0: invalid groupVersion (expected x.dev/v2, received x.dev/v1)`,
  },
  {
    name: "renames objects",
    answer: ({ uid, objects }) => ({ uid, result: success, convertedObjects: renamed(objects).map((one) => ({ ...one, metadata: { name: "z" } })) }),
    want: `${FAILED} returned invalid converted object at index 0: must have the same name: a != z`,
  },
] satisfies { name: string; answer: Answer; want: string | RegExp }[]) {
  test(`it is told when a webhook ${name}`, async () => {
    await assert.rejects(convert(answer, [thing("a")]), (error) => {
      assert.ok(isReason(error, "Unknown"));
      if (typeof want === "string") assert.equal(error.message, want);
      else assert.match(error.message, want);
      return true;
    });
  });
}

test("a webhook that another authority vouches for is not believed", async () => {
  const other = mkdtempSync(join(tmpdir(), "eider-webhook-"));
  const { caPem } = await servingCertificate(other, ["localhost"], systemClock.wallMs());
  rmSync(other, { recursive: true });
  await assert.rejects(
    convert(({ uid }) => ({ uid, result: success }), [thing("a")], caPem),
    /conversion webhook for x.dev\/v1, Kind=Thing failed: Post "https:\/\/localhost/,
  );
});
