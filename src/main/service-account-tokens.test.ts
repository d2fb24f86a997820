// Tokens of ServiceAccounts: who is let in, who is not, and what for.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Client } from "#client";
import { rfc3339, SimClock } from "#core";
import { Pod, Secret, type ServiceAccount, type TokenRequest } from "#kinds";
import { mayUse, rulesOf } from "./authorization.ts";
import { ServiceAccountTokens } from "./service-account-tokens.ts";

const ASKED = { namespace: "ns", serviceAccount: "robot", expirationSeconds: 3_600, pod: { name: "p", uid: "pod-1" } };

function fixture(t: TestContext, annotations: Readonly<Record<string, string>> = {}) {
  const dir = mkdtempSync(join(tmpdir(), "eider-tokens-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const objects = new Map<string, unknown>([
    ["ServiceAccount/robot", { metadata: { name: "robot", namespace: "ns", uid: "sa-1", annotations } }],
    ["Pod/p", { metadata: { name: "p", namespace: "ns", uid: "pod-1" } }],
  ]);
  const client = {
    find: (kind: { kind: string }, _namespace: string, name: string) => Promise.resolve(objects.get(`${kind.kind}/${name}`)),
  } as unknown as Client;
  const clock = new SimClock();
  const keyFile = join(dir, "sa.key");
  const tokens = () => new ServiceAccountTokens({ keyFile, clock, client: () => client, newId: () => "id" });
  return { objects, clock, keyFile, tokens };
}

test("a token names its account, also after a restart, until its time is over", async (t) => {
  const { tokens, clock, keyFile } = fixture(t);
  const { token, expiresAtWallMs } = await tokens().mint(ASKED);
  assert.equal(statSync(keyFile).mode & 0o777, 0o600);
  assert.equal(expiresAtWallMs - clock.wallMs(), 3_600_000);
  const groups = ["system:serviceaccounts", "system:serviceaccounts:ns", "system:authenticated"];
  assert.deepEqual(await tokens().userOf(token), { name: "system:serviceaccount:ns:robot", uid: "sa-1", groups });
  await clock.advance(expiresAtWallMs - clock.wallMs() + 1_000);
  assert.equal(await tokens().userOf(token), undefined);
});

test("a token with another signature, for another audience, or of an account or a pod that is gone lets nobody in", async (t) => {
  const { tokens, objects } = fixture(t);
  const { token } = await tokens().mint(ASKED);
  const stranger = await fixture(t).tokens().mint(ASKED);
  assert.equal(await tokens().userOf(stranger.token), undefined);
  assert.equal(await tokens().userOf((await tokens().mint({ ...ASKED, audience: "vault" })).token), undefined);
  const [head, , signature] = token.split(".");
  const forged = Buffer.from(JSON.stringify({ sub: "system:serviceaccount:ns:admin" })).toString("base64url");
  assert.equal(await tokens().userOf(`${head}.${forged}.${signature}`), undefined);
  const unsigned = Buffer.from(JSON.stringify({ alg: "none" })).toString("base64url");
  assert.equal(await tokens().userOf(`${unsigned}.${token.split(".")[1]}.`), undefined);
  const pod = objects.get("Pod/p");
  objects.set("Pod/p", { metadata: { name: "p", namespace: "ns", uid: "pod-2" } });
  assert.equal(await tokens().userOf(token), undefined);
  objects.set("Pod/p", pod);
  assert.notEqual(await tokens().userOf(token), undefined);
  objects.delete("ServiceAccount/robot");
  assert.equal(await tokens().userOf(token), undefined);
  await assert.rejects(tokens().mint(ASKED), { message: 'serviceaccounts "robot" not found' });
});

test("a token that is asked for is for whom it says, and no longer good than what it is bound to", async (t) => {
  const { tokens, objects, clock } = fixture(t);
  const account = objects.get("ServiceAccount/robot") as ServiceAccount;
  const asked = async (spec: object): Promise<TokenRequest> => tokens().answer(account, { spec } as TokenRequest);
  const plain = await asked({ audiences: null, expirationSeconds: null, boundObjectRef: null });
  assert.deepEqual(plain.spec, { audiences: ["https://kubernetes.default.svc.cluster.local"], expirationSeconds: 3_600, boundObjectRef: null });
  assert.equal(plain.status?.expirationTimestamp, rfc3339(clock.wallMs() + 3_600_000));
  assert.equal((await tokens().userOf(plain.status?.token ?? ""))?.name, "system:serviceaccount:ns:robot");
  const other = await asked({ audiences: ["x"], expirationSeconds: 600 });
  assert.equal(await tokens().userOf(other.status?.token ?? ""), undefined);
  const bound = await asked({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "pod-1" } });
  assert.notEqual(await tokens().userOf(bound.status?.token ?? ""), undefined);
  await assert.rejects(asked({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "p", uid: "pod-9" } }), { reason: "Conflict" });
  await assert.rejects(asked({ boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "none" } }), { reason: "NotFound" });
  await assert.rejects(asked({ boundObjectRef: { kind: "Lease", apiVersion: "v1", name: "l" } }), { reason: "BadRequest" });
  objects.delete("Pod/p");
  assert.equal(await tokens().userOf(bound.status?.token ?? ""), undefined);
});

const get = { verb: "get", group: "", version: "v1", resource: "pods", subresource: "", namespace: "ns", name: "p" };
const review = { ...get, verb: "create", group: "authorization.k8s.io", resource: "selfsubjectaccessreviews", name: "" };
const rows: readonly { readonly name: string; readonly access: string; readonly wants: Parameters<typeof mayUse>[1]; readonly may: boolean }[] = [
  { name: "nothing without a word", access: "", wants: get, may: false },
  { name: "discovery for everybody", access: "", wants: { ...get, resource: "", path: "/apis" }, may: true },
  { name: "no documents of the platform", access: "", wants: { ...get, resource: "", path: "/debug/eider/explain" }, may: false },
  { name: "reading for viewers", access: "view", wants: get, may: true },
  { name: "no Secrets for viewers", access: "view", wants: { ...get, resource: "secrets" }, may: false },
  { name: "no commands for viewers", access: "view", wants: { ...get, subresource: "exec" }, may: false },
  { name: "no writing for viewers", access: "view", wants: { ...get, verb: "delete" }, may: false },
  { name: "no more than viewers see is hidden in all", access: "view", wants: { ...get, resource: "*" }, may: false },
  { name: "everybody asks about himself", access: "", wants: review, may: true },
  { name: "not everybody about others", access: "view", wants: { ...review, resource: "subjectaccessreviews" }, may: false },
  { name: "all for admins", access: "admin", wants: { ...get, verb: "delete", resource: "secrets" }, may: true },
];
for (const { name, access, wants, may } of rows) {
  test(`what an account may do: ${name}`, async (t) => {
    const { tokens } = fixture(t, access === "" ? {} : { "eider.dev/api-access": access });
    const user = await tokens().userOf((await tokens().mint(ASKED)).token);
    assert.ok(user !== undefined);
    assert.equal(mayUse(user, wants) === undefined, may);
  });
}

test("of an account that is only named what it may do is told as of the account itself, and rules say the same", async (t) => {
  const { tokens } = fixture(t, { "eider.dev/api-access": "view" });
  const named = { name: "system:serviceaccount:ns:robot", groups: [] };
  assert.equal(await tokens().refusal(named, get), undefined);
  assert.equal(await tokens().refusal(named, { ...get, verb: "delete" }), "");
  assert.equal(await tokens().refusal({ ...named, name: "system:serviceaccount:ns:nobody" }, get), "");
  const user = await tokens().userOf((await tokens().mint(ASKED)).token);
  const { resourceRules } = rulesOf(user ?? named, [{ kind: Pod }, { kind: Secret }]);
  assert.deepEqual(resourceRules, [
    { verbs: ["create"], apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"] },
    { verbs: ["create"], apiGroups: ["authorization.k8s.io"], resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"] },
    { verbs: ["get", "list", "watch"], apiGroups: [""], resources: ["pods", "*/status", "*/scale", "*/log"] },
  ]);
  assert.deepEqual(rulesOf({ name: "", groups: ["system:masters"] }, []).resourceRules, [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"] }]);
});
