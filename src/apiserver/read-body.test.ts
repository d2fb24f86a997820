// What is said of bodies that are no objects of the kind: recorded from a real server, row by row.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ask, fixture } from "./fixture.test-suite.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const GADGETS = "/apis/apps/v1/namespaces/default/gadgets";
const SITES = "/apis/serving.knative.dev/v1/namespaces/default/services";
const INTO = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`;
const ABOUT_MAP = "the object provided is unrecognized (must be of type ConfigMap)";
const NO_MAP = 'ConfigMap in version "v1" cannot be handled as a ConfigMap';
const PARSE = "couldn't get version/kind; json parse error";

interface Row {
  readonly body: string | Buffer;
  readonly message: string;
  readonly to?: string;
  readonly type?: string;
}

const ROWS: readonly Row[] = [
  { body: "", message: `${ABOUT_MAP}: ${PARSE}: unexpected end of JSON input (<empty>)` },
  { body: "[]", message: `${ABOUT_MAP}: ${PARSE}: json: cannot unmarshal array into Go value of type ${INTO} (5b5d)` },
  { body: '"x"', message: `${ABOUT_MAP}: ${PARSE}: json: cannot unmarshal string into Go value of type ${INTO} (227822)` },
  { body: "5.0", message: `${ABOUT_MAP}: ${PARSE}: json: cannot unmarshal number into Go value of type ${INTO} (352e30)` },
  { body: '{"kind":5}', message: `${ABOUT_MAP}: ${PARSE}: json: cannot unmarshal number into Go struct field .kind of type string ({"kind":5})` },
  { body: '{"kind":"ConfigMap"} x', message: `${ABOUT_MAP}: ${PARSE}: invalid character 'x' after top-level value ({"kind":"ConfigMap"} x)` },
  { body: '{"a":1,}', message: `${ABOUT_MAP}: ${PARSE}: invalid character '}' looking for beginning of object key string ({"a":1,})` },
  { body: Buffer.from("\u{feff}{}"), message: `${ABOUT_MAP}: ${PARSE}: invalid character 'ï' looking for beginning of value (efbbbf7b7d)` },
  { body: '{"data":{"a":1}}', message: `${NO_MAP}: json: cannot unmarshal number into Go struct field ConfigMap.data of type string` },
  { body: '{"data":{"a":1.5}}', message: `${NO_MAP}: json: cannot unmarshal number into Go struct field ConfigMap.data of type string` },
  { body: '{"data":["a"]}', message: `${NO_MAP}: json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string` },
  { body: '{"metadata":[]}', message: `${NO_MAP}: json: cannot unmarshal array into Go struct field ConfigMap.metadata of type v1.ObjectMeta` },
  { body: '{"metadata":{"name":5}}', message: `${NO_MAP}: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string` },
  {
    body: '{"metadata":{"creationTimestamp":5}}',
    message: `${NO_MAP}: json: cannot unmarshal number into Go struct field ObjectMeta.metadata.creationTimestamp of type string`,
  },
  {
    body: '{"metadata":{"generation":1.0}}',
    message: `${NO_MAP}: json: cannot unmarshal number 1.0 into Go struct field ObjectMeta.metadata.generation of type int64`,
  },
  {
    body: '{"metadata":{"generation":1e3}}',
    message: `${NO_MAP}: json: cannot unmarshal number 1e3 into Go struct field ObjectMeta.metadata.generation of type int64`,
  },
  {
    body: '{"metadata":{"generation":9223372036854775808}}',
    message: `${NO_MAP}: json: cannot unmarshal number 9223372036854775808 into Go struct field ObjectMeta.metadata.generation of type int64`,
  },
  // A real server keeps it; numbers here are doubles, and a changed number would be worse than a refused one.
  { body: '{"metadata":{"generation":9007199254740993}}', message: `${NO_MAP}: json: number 9007199254740993 is beyond 2^53: it cannot be kept exactly` },
  {
    to: GADGETS,
    body: '{"spec":{"replicas":3000000000}}',
    message:
      'Gadget in version "v1" cannot be handled as a Gadget: json: cannot unmarshal number 3000000000 into Go struct field Gadget.spec.replicas of type int32',
  },
  {
    to: `${MAPS}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"a","nope":1},"Data":{"a":"b"},"x":{"y":1},"data":{"a":"1","a":"2"}}',
    message: `${NO_MAP}: strict decoding error: unknown field "metadata.nope", unknown field "Data", unknown field "x", duplicate field "data.a"`,
  },
  {
    to: SITES,
    body: '{"metadata":{"name":"a"}}',
    message: `the object provided is unrecognized (must be of type Service): Object 'Kind' is missing in '{"metadata":{"name":"a"}}' ({"metadata":{"name":"a"}})`,
  },
  { to: SITES, body: '{"kind":"Service"}', message: "the API version in the data () does not match the expected API version (serving.knative.dev/v1)" },
  {
    to: SITES,
    body: '{"kind":"Foo","apiVersion":"serving.knative.dev/v1","metadata":{"name":"a"}}',
    message: 'Foo.serving.knative.dev "a" is invalid: kind: Invalid value: "Foo": must be Service',
  },
  {
    to: SITES,
    body: '{"kind":"Service","apiVersion":"serving.knative.dev/v1","metadata":"x"}',
    message: 'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal string into Go value of type v1.ObjectMeta',
  },
  {
    to: SITES,
    body: '{"kind":"Service","apiVersion":"serving.knative.dev/v1","metadata":{"labels":{"a":1}}}',
    message: 'Service in version "v1" cannot be handled as a Service: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string',
  },
  {
    to: `${SITES}?fieldValidation=Strict`,
    body: '{"kind":"Service","apiVersion":"serving.knative.dev/v1","metadata":{"name":"a","nope":1,"labels":{"a":"b","a":"c"}},"x":1}',
    message:
      'Service in version "v1" cannot be handled as a Service: strict decoding error: duplicate field "metadata.labels.a", unknown field "metadata.nope", unknown field "x"',
  },
  { type: "application/yaml", body: "data:\n  a: yes\n", message: `${NO_MAP}: json: cannot unmarshal bool into Go struct field ConfigMap.data of type string` },
  { type: "application/yaml", body: "- a\n", message: `${ABOUT_MAP}: ${PARSE}: json: cannot unmarshal array into Go value of type ${INTO} (2d20610a)` },
  {
    type: "application/yaml",
    body: "metadata: {name: y1}\nbinaryData: *b\n",
    message: `${ABOUT_MAP}: yaml: unknown anchor 'b' referenced (6d657461646174613a207b6e616d653a2079317d0a62696e617279446174 ...)`,
  },
  {
    type: "application/yaml",
    to: `${MAPS}?fieldValidation=Strict`,
    body: "metadata:\n  name: y1\nfoo: bar\ndata:\n  a: b\n  a: c\n",
    message: `${NO_MAP}: strict decoding error: yaml: unmarshal errors:\n  line 6: key "a" already set in map, unknown field "foo"`,
  },
];

for (const { body, message, to = MAPS, type = "application/json" } of ROWS) {
  test(`POST ${to} of ${body.length > 60 ? `${body.toString().slice(0, 60)} …` : JSON.stringify(body.toString())}`, async () => {
    const { server } = await fixture();
    const answer = await ask(server, `POST ${to}`, body, { "content-type": type });
    assert.ok(answer.status === 400 || answer.status === 422, answer.text);
    assert.equal(answer.json.message, message);
  });
}

test("what Go takes is taken: null, text that is no UTF-8, YAML of one document or several", async () => {
  const { server } = await fixture();
  assert.match((await ask(server, `POST ${MAPS}`, "null")).json.message, /name or generateName is required/);
  const odd = Buffer.from('{"metadata":{"name":"odd"},"data":{"a":"b\xff"}}', "latin1");
  assert.deepEqual(((await ask(server, `POST ${MAPS}`, odd)).json as { data?: object }).data, { a: "b\u{fffd}" });
  const yaml = 'metadata:\n  name: y1\ndata:\n  date: 2020-01-01\n  time: 1:30\n  b: "yes"\n---\nmetadata: {name: y2}\n';
  const { status, json } = await ask(server, `POST ${MAPS}`, yaml, { "content-type": "application/yaml" });
  assert.deepEqual([status, (json as { data?: object }).data], [201, { date: "2020-01-01", time: "1:30", b: "yes" }]);
});

test("long YAML is refused, long JSON in a body of YAML is not", async () => {
  const { server } = await fixture();
  const headers = { "content-type": "application/yaml" };
  const long = await ask(server, `POST ${MAPS}`, `metadata: {name: long}\ndata:\n${"  key: value\n".repeat(30_000)}`, headers);
  assert.deepEqual([long.status, long.json.message], [413, "Request entity too large: limit is 262144"]);
  const json = JSON.stringify({ metadata: { name: "json" }, data: { a: "x".repeat(400_000) } });
  assert.equal((await ask(server, `POST ${MAPS}`, json, headers)).status, 201);
});

/** Ten times nine to the eighth strings, if somebody wrote them out. */
const BOMB = [..."abcdefgh"].map(
  (name, index, all) => `${name}: &${name} [${Array.from({ length: 9 }, () => (index === 0 ? '"l"' : `*${all[index - 1]}`)).join()}]`,
);

for (const [name, body, message] of [
  ["aliases that multiply", BOMB.join("\n"), "yaml: document contains excessive aliasing"],
  ["brackets without end", `a: ${"[".repeat(100_000)}`, "yaml: exceeded max depth of 500"],
  ["lists within lists", `${"- ".repeat(100_000)}a`, "yaml: exceeded max depth of 500"],
] as const) {
  test(`YAML that grows is refused: ${name}`, async () => {
    const { server } = await fixture();
    const answer = await ask(server, `POST ${MAPS}`, body, { "content-type": "application/yaml" });
    assert.equal(answer.status, 400);
    assert.ok(answer.json.message.includes(message), answer.json.message);
  });
}
