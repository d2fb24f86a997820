// The table of EventTypes of sources.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiServerSource, PingSource, type EventType } from "#kinds";
import type { Kind } from "#schema";
import { made } from "../../serving/fixture.test-suite.ts";
import { planSourceTypes, type SourceObject } from "./plan.ts";

const ref = { apiVersion: "eventing.knative.dev/v1", kind: "Broker", namespace: "default", name: "b" };
const ceAttributes = [{ type: "dev.knative.sources.ping", source: "/apis/v1/namespaces/default/pingsources/p" }];
const ping = (body: object, over: { readonly deleting?: boolean } = {}): SourceObject => made(PingSource, "p", body, over) as unknown as SourceObject;
const typesOf = (source: SourceObject, kind: unknown = PingSource): EventType[] | undefined =>
  planSourceTypes({ source, kind: kind as Kind }).desired?.map(({ object }) => object as unknown as EventType);

test("planSourceTypes: what is sent to an object is told, with what the definition says of it", () => {
  const [type, ...more] = typesOf(ping({ spec: { sink: { ref } }, status: { ceAttributes } })) ?? [];
  assert.deepEqual(more, []);
  // Of type, source, schema and the source's uid.
  const name = "d91134f26d6f151e8da8f76998df5a14";
  assert.deepEqual(type?.metadata, { name, namespace: "default", labels: { "eventing.knative.dev/sourceName": "p" } });
  assert.deepEqual(type?.spec, {
    reference: ref,
    description: "What a PingSource sends, as often as its schedule says",
    attributes: [
      { name: "specversion", required: true },
      { name: "id", required: true },
      { name: "type", required: true, value: "dev.knative.sources.ping" },
      { name: "source", required: true, value: "/apis/v1/namespaces/default/pingsources/p" },
    ],
  });
});

test("planSourceTypes: one for each type, and one for what is told twice", () => {
  const types = ["add", "delete", "update"].map((change) => ({ type: `dev.knative.apiserver.ref.${change}`, source: "https://10.0.0.1:443" }));
  const source = made(ApiServerSource, "a", { spec: { sink: { ref } }, status: { ceAttributes: [...types, ...types, { source: "no type" }] } });
  const told = typesOf(source as unknown as SourceObject, ApiServerSource) ?? [];
  assert.deepEqual(
    told.map(({ spec }) => spec.description),
    ["added", "deleted", "updated"].map((what) => `An object was ${what}: a reference to it`),
  );
  assert.equal(new Set(told.map(({ metadata }) => metadata.name)).size, 3);
});

test("planSourceTypes: none for a URI, none before it is known what is sent, and none is touched on the way out", () => {
  assert.deepEqual(typesOf(ping({ spec: { sink: { uri: "http://sink/" } }, status: { ceAttributes } })), []);
  assert.deepEqual(typesOf(ping({ spec: { sink: { ref } } })), []);
  assert.equal(typesOf(ping({ spec: { sink: { ref } }, status: { ceAttributes } }, { deleting: true })), undefined);
});
