// The digest resolver: in the background, once a Revision, and again after a failure.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRng, SimClock } from "#core";
import { DigestResolver, type ResolvedDigest } from "./effects.ts";

const KEY = { namespace: "default", name: "hello-00001" };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function resolver(answers: Readonly<Record<string, ResolvedDigest>>): { of: DigestResolver; asked: string[]; woken: string[] } {
  const asked: string[] = [];
  const woken: string[] = [];
  const of = new DigestResolver({
    clock: new SimClock(),
    rng: new SeededRng(1),
    wake: ({ name }) => void woken.push(name),
    resolveDigest: async ({ image }) => {
      asked.push(image);
      const answer = answers[image];
      if (answer === undefined) throw new Error("no route to host");
      return answer;
    },
  });
  return { of, asked, woken };
}

const start = (of: DigestResolver, ...images: string[]): void =>
  of.start(
    { do: "resolveDigests", key: KEY, uid: "u", images, access: { serviceAccountName: "", imagePullSecrets: [] }, timeoutMs: 10_000 },
    new AbortController().signal,
  );

test("DigestResolver: each image is asked for once, and the Revision is woken", async () => {
  const { of, asked, woken } = resolver({ "app:v1": { digest: "sha256:1" }, "r.example/side": { digest: "r.example/side@sha256:2" } });
  start(of, "app:v1", "app:v1", "r.example/side");
  start(of, "app:v1");
  assert.deepEqual(of.of(KEY, "u"), { state: "running" });
  await settled();
  assert.deepEqual(of.of(KEY, "u"), {
    state: "resolved",
    digests: { "app:v1": "index.docker.io/library/app@sha256:1", "r.example/side": "r.example/side@sha256:2" },
  });
  assert.deepEqual([asked, woken], [["app:v1", "r.example/side"], ["hello-00001"]]);
});

test("DigestResolver: failures tell the image and wait twice as long each time", async () => {
  const { of } = resolver({ "app:v1": { error: "404" } });
  const failed = async (image: string): Promise<unknown> => {
    start(of, image);
    await settled();
    return of.of(KEY, "u");
  };
  const message = (image: string, why: string): string => `Unable to fetch image "${image}": failed to resolve image to digest: ${why}`;
  assert.deepEqual(await failed("app:v1"), { state: "failed", message: message("app:v1", "404"), retryAtMs: 1000 });
  assert.deepEqual(await failed("gone"), { state: "failed", message: message("gone", "no route to host"), retryAtMs: 2000 });
});

test("DigestResolver: a Revision made anew under the same name knows nothing of the old one", async () => {
  const { of } = resolver({ "app:v1": { digest: "sha256:1" } });
  start(of, "app:v1");
  await settled();
  assert.equal(of.of(KEY, "other"), undefined);
  of.forget(KEY);
  assert.equal(of.of(KEY, "u"), undefined);
});
