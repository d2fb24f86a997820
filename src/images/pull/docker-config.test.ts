// Docker's files and Secrets of credentials, and which entry fits which image.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseImageName } from "../image-name.ts";
import { fitting, helperFor, keyMatches, parseDockerConfig, secretAuths } from "./docker-config.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

// As the kubelet matches: pkg/credentialprovider of Kubernetes, rules in "Pull an Image from a Private Registry".
const matches: readonly (readonly [key: string, image: string, want: boolean])[] = [
  ["registry.example", "registry.example/app", true],
  ["registry.example:5000", "registry.example/app", false],
  ["registry.example", "registry.example:5000/app", false],
  ["registry.example:5000", "registry.example:5000/app", true],
  ["registry.example/team", "registry.example/team/app", true],
  ["registry.example/team", "registry.example/teammate", true],
  ["registry.example/other", "registry.example/team/app", false],
  ["*.example", "registry.example/app", true],
  ["*.example", "a.registry.example/app", false],
  ["*.*.example", "a.registry.example/app", true],
  ["reg*y.example", "registry.example/app", true],
  ["reg[a-j]stry.example", "registry.example/app", true],
  ["reg[^a-j]stry.example", "registry.example/app", false],
  ["regi?try.example", "registry.example/app", true],
  ["reg[istry.example", "registry.example/app", false],
  ["*", "localhost:5000/app", false],
  ["docker.io", "nginx", true],
  ["index.docker.io", "docker.io/library/nginx", true],
  ["index.docker.io/library", "nginx", true],
  ["index.docker.io", "quay.io/nginx", false],
  ["[::1]:5000", "[::1]:5000/app", true],
];
for (const [key, image, want] of matches) {
  test(`keyMatches: ${key} ${want ? "fits" : "does not fit"} ${image}`, () => {
    const name = parseImageName(image);
    assert.ok(name !== undefined);
    assert.equal(keyMatches(key, name), want);
  });
}

test("parseDockerConfig: entries in every form, the narrowest first", () => {
  const { auths, helpers, store } = parseDockerConfig(
    JSON.stringify({
      auths: {
        "https://index.docker.io/v1/": { auth: base64("me:it:has:colons") },
        "registry.example": { username: "u", password: "p" },
        "https://registry.example/v2/": { identitytoken: "id" },
        "registry.example/team": { registrytoken: "rt" },
        "empty.example": {},
      },
      credHelpers: { "https://gcr.io": "gcloud" },
      credsStore: "pass",
    }),
  );
  assert.deepEqual(
    auths.map(({ key }) => key),
    ["registry.example/team", "registry.example", "registry.example", "index.docker.io"].toSorted((a, b) => b.length - a.length || (a < b ? -1 : 1)),
  );
  assert.deepEqual(auths.find(({ key }) => key === "index.docker.io")?.credentials, { username: "me", password: "it:has:colons" });
  assert.deepEqual([helpers, store], [{ "gcr.io": "gcloud" }, "pass"]);
  assert.equal(helperFor({ auths, helpers, store }, "gcr.io"), "gcloud");
  assert.equal(helperFor({ auths, helpers, store }, "other.example"), "pass");
});

test("secretAuths: both kinds of Secret; others and damaged ones hold nothing", () => {
  const auths = { "registry.example": { auth: base64("u:p") } };
  const want = [{ key: "registry.example", credentials: { username: "u", password: "p" } }];
  assert.deepEqual(secretAuths({ type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64(JSON.stringify({ auths })) } }), want);
  assert.deepEqual(secretAuths({ type: "kubernetes.io/dockercfg", data: { ".dockercfg": base64(JSON.stringify(auths)) } }), want);
  assert.deepEqual(secretAuths({ type: "Opaque", data: { ".dockercfg": base64(JSON.stringify(auths)) } }), []);
  assert.deepEqual(secretAuths({ type: "kubernetes.io/dockerconfigjson", data: { ".dockerconfigjson": base64("{") } }), []);
  assert.deepEqual(secretAuths({ type: "kubernetes.io/dockerconfigjson" }), []);
});

test("fitting: what fits, the most specific first", () => {
  const auths = parseDockerConfig(JSON.stringify({ auths: { "r.example": { auth: base64("wide:1") }, "r.example/team": { auth: base64("narrow:2") } } })).auths;
  const users = (image: string): string[] => fitting(auths, parseImageName(image) as { registry: string; repository: string }).map(({ username }) => username);
  assert.deepEqual([users("r.example/team/app"), users("r.example/app"), users("q.example/app")], [["narrow", "wide"], ["wide"], []]);
});
