// Events in HTTP: rows of messages and what they are, and round trips of any event.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { canonical, withAttributes, type AttributeValue, type CloudEvent } from "./event.ts";
import { HANDSHAKE_HEADERS } from "./handshake.ts";
import { decodeHeaderValue, encodeHeaderValue } from "./header-value.ts";
import { decodeMessage, encodeMessage, type DecodedMessage } from "./http.ts";
import { BATCH_EVENTS_MAX } from "./json-format.ts";
import { ATTRIBUTE_BYTES_MAX, ATTRIBUTES_MAX, isTimestamp, isUriReference } from "./validate.ts";

const BINARY = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/x", "ce-type": "t" };
const JSON_EVENT = { specversion: "1.0", id: "1", source: "/x", type: "t" };
const JSON_TYPE = { "content-type": "application/cloudevents+json" };

const structured = (members: object, type = "application/cloudevents+json"): DecodedMessage =>
  decodeMessage({ "content-type": type }, Buffer.from(JSON.stringify(members)));
const binary = (headers: Record<string, string>, body = ""): DecodedMessage => decodeMessage({ ...BINARY, ...headers }, Buffer.from(body));

function eventIn(decoded: DecodedMessage): CloudEvent {
  assert.equal(decoded.is, "event", JSON.stringify(decoded));
  return (decoded as DecodedMessage & { is: "event" }).event;
}

const attributesIn = (decoded: DecodedMessage): Record<string, AttributeValue> => Object.fromEntries(eventIn(decoded).attributes);
const textIn = (decoded: DecodedMessage): string | undefined => {
  const { data } = eventIn(decoded);
  return data === undefined ? undefined : Buffer.from(data.octets).toString();
};

test("binary mode: headers are attributes, the body is the data", () => {
  const decoded = binary({ "ce-subject": "Euro%20%E2%82%AC%20%f0%9f%98%80", "ce-myext": '"a \\"b\\""', "content-type": "text/plain", host: "h" }, "body");
  assert.deepEqual(attributesIn(decoded), {
    specversion: "1.0",
    id: "1",
    source: "/x",
    type: "t",
    subject: "Euro € 😀",
    myext: 'a "b"',
    datacontenttype: "text/plain",
  });
  assert.equal(textIn(decoded), "body");
  assert.deepEqual(encodeMessage(eventIn(decoded)).headers, {
    ...BINARY,
    "ce-subject": "Euro%20%E2%82%AC%20%F0%9F%98%80",
    "ce-myext": "a%20%22b%22",
    "content-type": "text/plain",
  });
});

const modes: readonly (readonly [name: string, headers: Record<string, string>, is: DecodedMessage["is"]])[] = [
  ["no header of an event", { "content-type": "application/json" }, "none"],
  ["JSON of an event under another type", { "content-type": "application/json", "ce-id": "1" }, "none"],
  ["a structured type before binary headers", { ...BINARY, ...JSON_TYPE }, "fault"],
  ["in capitals and with a charset", { "content-type": "Application/CloudEvents+JSON; charset=UTF-8" }, "fault"],
  ["a format that nobody knows, with headers", { ...BINARY, "content-type": "application/cloudevents+xml" }, "event"],
  ["a format that nobody knows", { "content-type": "application/cloudevents+xml" }, "none"],
  ["a batch", { "content-type": "application/cloudevents-batch+json" }, "fault"],
];
for (const [name, headers, is] of modes) test(`modes: ${name}`, () => assert.equal(decodeMessage(headers, Buffer.from("{}")).is, is));

test("structured mode keeps JSON data as it was written", () => {
  const data = '{ "n": 12345678901234567890.10, "a" : [1e2, "}\\"]" ],"a":{} }';
  const body = `{"data" : ${data} ,"specversion":"1.0","id":"1","source":"/x","type":"t","n":5,"yes":true,"none":null}`;
  const decoded = decodeMessage(JSON_TYPE, Buffer.from(body));
  assert.equal(textIn(decoded), data);
  assert.deepEqual(attributesIn(decoded), { ...JSON_EVENT, n: 5, yes: true });
  const event = eventIn(decoded);
  assert.equal(Buffer.from(encodeMessage(event).body).toString(), `{"specversion":"1.0","id":"1","source":"/x","type":"t","n":5,"yes":true,"data":${data}}`);
  assert.deepEqual(encodeMessage(event, "binary").headers, { ...BINARY, "ce-n": "5", "ce-yes": "true", "content-type": "application/json" });
});

const dataRows: readonly { readonly name: string; readonly members: object; readonly data: string | undefined; readonly type?: string }[] = [
  { name: "no data", members: {}, data: undefined },
  { name: "null is a value", members: { data: null }, data: "null", type: "application/json" },
  { name: "a string without a type is JSON", members: { data: "x" }, data: '"x"', type: "application/json" },
  { name: "a string of XML", members: { datacontenttype: "application/xml", data: "<x/>" }, data: "<x/>", type: "application/xml" },
  { name: "a JSON string under a JSON type", members: { datacontenttype: "a/b+json; x=1", data: "{}" }, data: '"{}"', type: "a/b+json; x=1" },
  { name: "base64 without a type", members: { data_base64: "eyAieHl6IjogMTIzIH0=" }, data: '{ "xyz": 123 }' },
  { name: "base64 of 0.3", members: { specversion: "0.3", datacontentencoding: "base64", data: "AAE=" }, data: "\0\u0001" },
];
for (const { name, members, data, type } of dataRows) {
  test(`data in JSON: ${name}`, () => {
    const decoded = structured({ ...JSON_EVENT, ...members });
    assert.equal(textIn(decoded), data);
    const message = encodeMessage(eventIn(decoded), "binary");
    assert.equal(message.headers["content-type"], type);
    const again = JSON.parse(Buffer.from(encodeMessage(eventIn(decoded)).body).toString()) as object;
    assert.deepEqual(again, { ...JSON_EVENT, ...members });
  });
}

const fromBinary: readonly { readonly type: string | undefined; readonly body: string | Uint8Array; readonly want: object }[] = [
  { type: "application/json", body: "[1.0]", want: { data: [1] } },
  { type: "application/json", body: "{", want: { data_base64: "ew==" } },
  { type: "text/plain", body: "é", want: { data: "é" } },
  { type: "text/plain", body: new Uint8Array([0xff]), want: { data_base64: "/w==" } },
  { type: "image/png", body: "x", want: { data_base64: "eA==" } },
  { type: undefined, body: "{}", want: { data_base64: "e30=" } },
];
for (const { type, body, want } of fromBinary) {
  test(`data of binary mode in JSON: ${type} ${String(body)}`, () => {
    const event = eventIn(decodeMessage({ ...BINARY, ...(type === undefined ? {} : { "content-type": type }) }, Buffer.from(body as string)));
    const written = JSON.parse(Buffer.from(encodeMessage(event, "json").body).toString()) as object;
    assert.deepEqual(written, { ...JSON_EVENT, ...(type === undefined ? {} : { datacontenttype: type }), ...want });
  });
}

const refusedBinary: readonly (readonly [headers: Record<string, string>, fault: string])[] = [
  [{ "ce-specversion": "2.0" }, 'specversion: "2.0" is not supported, 1.0 and 0.3 are'],
  [{ "ce-id": "" }, "id: MUST be a non-empty string"],
  [{ "ce-type": " " }, "type: MUST be a non-empty string"],
  [{ "ce-source": "1:x" }, "source: MUST be a URI-reference"],
  [{ "ce-source": "/%zz" }, "source: MUST be a URI-reference"],
  [{ "ce-time": "yesterday" }, "time: MUST be a timestamp of RFC 3339"],
  [{ "ce-dataschema": "/relative" }, "dataschema: MUST be an absolute URI"],
  [{ "content-type": "a b" }, "datacontenttype: MUST be a media type"],
  [{ "ce-my-ext": "x" }, '"my-ext" cannot be the name of an attribute: lower-case letters and digits are'],
  [{ "ce-data": "x" }, '"data" cannot be the name of an attribute: lower-case letters and digits are'],
  [{ "ce-x": "%C0%A0" }, "x: its octets are not UTF-8"],
  [{ "ce-x": "a%0D%0Ab: c" }, "x: has a control character or what is no character of Unicode"],
  [{ "ce-x": "%EF%BF%BF" }, "x: has a control character or what is no character of Unicode"],
  [{ "ce-x": "y".repeat(ATTRIBUTE_BYTES_MAX) }, `attributes of more than ${ATTRIBUTE_BYTES_MAX} bytes`],
  [Object.fromEntries(Array.from({ length: ATTRIBUTES_MAX }, (_, index) => [`ce-x${index}`, "y"])), `more than ${ATTRIBUTES_MAX} attributes`],
];
for (const [headers, fault] of refusedBinary) {
  test(`binary mode refuses ${Object.entries(headers)[0]?.join(" ").slice(0, 40)}`, () => assert.deepEqual(binary(headers), { is: "fault", fault }));
}

const refusedJson: readonly (readonly [members: object, fault: RegExp])[] = [
  [{ id: 5 }, /^id: MUST be a non-empty string/],
  [{ id: null }, /^id: missing/],
  [{ n: 1.5 }, /^n: MUST be an integer of 32 bits/],
  [{ n: 2147483648 }, /^n: MUST be an integer of 32 bits/],
  [{ n: {} }, /^n: MUST be a string, a boolean or an integer/],
  [{ subject: 5 }, /^subject: MUST be a string/],
  [{ data: 1, data_base64: "" }, /exclude one another/],
  [{ data_base64: "a" }, /^data_base64: MUST be a string of base64/],
  [{ datacontenttype: "text/plain", data: {} }, /^data: MUST be a string/],
  [{ x: "\uDEAD" }, /^x: has a control character/],
];
for (const [members, fault] of refusedJson) {
  test(`JSON format refuses ${JSON.stringify(members)}`, () => {
    const decoded = structured({ ...JSON_EVENT, ...members });
    assert.match((decoded as { fault?: string }).fault ?? "", fault);
  });
}

test("what is no JSON is told, and so are other charsets", () => {
  for (const body of ["", "{", "[]", "1", "\uFEFF{}"]) assert.equal(decodeMessage(JSON_TYPE, Buffer.from(body)).is, "fault");
  assert.equal(decodeMessage(JSON_TYPE, new Uint8Array([0x22, 0xff, 0x22])).is, "fault");
  assert.equal(structured(JSON_EVENT, "application/cloudevents+json; charset=utf-16").is, "fault");
  assert.equal(structured(JSON_EVENT, 'application/cloudevents+json; charset="UTF-8"').is, "event");
});

test("a batch is taken as a whole or not at all", () => {
  const type = "application/cloudevents-batch+json";
  const decoded = structured(
    [
      { ...JSON_EVENT, data: [1] },
      { ...JSON_EVENT, id: "2", data: "b" },
    ],
    type,
  );
  assert.equal(decoded.is, "batch");
  const { events } = decoded as DecodedMessage & { is: "batch" };
  assert.deepEqual(
    events.map(({ attributes, data }) => [attributes.get("id"), Buffer.from(data?.octets ?? []).toString()]),
    [
      ["1", "[1]"],
      ["2", '"b"'],
    ],
  );
  assert.deepEqual(structured([], type), { is: "batch", events: [] });
  assert.deepEqual(structured([JSON_EVENT, { ...JSON_EVENT, id: "" }], type), { is: "fault", fault: "event 1: id: MUST be a non-empty string" });
  assert.deepEqual(structured(JSON_EVENT, type), { is: "fault", fault: "a batch is a JSON array" });
  const many = Array.from({ length: BATCH_EVENTS_MAX + 1 }, () => JSON_EVENT);
  assert.deepEqual(structured(many, type), { is: "fault", fault: `a batch of more than ${BATCH_EVENTS_MAX} events` });
});

test("capitals in names of extensions are taken, as the SDK takes them; an optional attribute that is empty is not set", () => {
  assert.deepEqual(attributesIn(structured({ ...JSON_EVENT, MyExt: "x", subject: "", other: "" })), { ...JSON_EVENT, myext: "x", other: "" });
  assert.deepEqual(attributesIn(binary({ "ce-subject": "", "ce-other": "" })), { ...JSON_EVENT, other: "" });
});

test("attributes are set and taken away in a copy", () => {
  const event = eventIn(structured({ ...JSON_EVENT, old: 1 }));
  const changed = withAttributes(event, { old: undefined, knativebrokerttl: 254 });
  assert.deepEqual(Object.fromEntries(changed.attributes), { ...JSON_EVENT, knativebrokerttl: 254 });
  assert.equal(event.attributes.get("old"), 1);
});

test("the handshake of web hooks grants everything, in names and values that can be headers", () => {
  assert.deepEqual(HANDSHAKE_HEADERS, { allow: "POST, OPTIONS", "webhook-allowed-origin": "*", "webhook-allowed-rate": "*" });
});

test("timestamps and references", () => {
  for (const time of ["2018-04-26T14:48:09+02:00", "2018-04-26t14:48:09.123456789z", "2024-02-29T00:00:00Z"]) assert.ok(isTimestamp(time), time);
  for (const time of ["2018-04-26", "2018-04-26T14:48:09", "2023-02-29T00:00:00Z", "2018-13-01T00:00:00Z", "2018-04-26T24:00:00Z", "2018-04-26T14:48:60Z"])
    assert.ok(!isTimestamp(time), time);
  for (const uri of ["/x", "x", "urn:uuid:1", "mailto:a@b", "https://x/y?z=%#a:b", "a/b:c", "//host"]) assert.ok(isUriReference(uri), uri);
  for (const uri of [":x", "1a:x", "a b:x", "/%", "%zz"]) assert.ok(!isUriReference(uri), uri);
});

/** Any character that a value may have. */
const character = fc
  .oneof(
    { weight: 4, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
  )
  .filter((text) => !/[\p{Cc}\p{Noncharacter_Code_Point}\p{Cs}]/u.test(text));
const text = fc.array(character, { minLength: 1, maxLength: 12 }).map((parts) => parts.join(""));

test("a header value comes back as it was, and has printable characters only", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (value) => {
      const encoded = encodeHeaderValue(value);
      assert.match(encoded, /^[\x21-\x7E]*$/);
      assert.equal(decodeHeaderValue(encoded), value);
    }),
    { numRuns: 2_000 },
  );
});

const extension = fc.tuple(fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/), fc.oneof(text, fc.boolean(), fc.integer({ min: -2147483648, max: 2147483647 })));
const KNOWN = /^(specversion|id|source|type|data.*|subject|time|schemaurl)$/;
const attributes = fc
  .record({
    id: text.filter((value) => value.trim() === value),
    subject: text.filter((value) => value.trim() === value),
    extensions: fc.array(extension, { maxLength: 5 }),
    time: fc.constantFrom(undefined, "2018-04-26T14:48:09.5Z"),
    type: fc.constantFrom(undefined, "application/json", "text/plain; charset=utf-8", "image/png"),
  })
  .map(({ id, subject, extensions, time, type }) => {
    const all = new Map<string, AttributeValue>([...Object.entries(JSON_EVENT), ["id", id], ["subject", subject]]);
    if (time !== undefined) all.set("time", time);
    for (const [name, value] of extensions) if (!KNOWN.test(name)) all.set(name, value);
    if (type !== undefined) all.set("datacontenttype", type);
    return all;
  });

test("any event in binary mode comes back as it was: attributes in string form, data octet by octet", () => {
  fc.assert(
    fc.property(attributes, fc.uint8Array({ minLength: 1 }), (map, octets) => {
      const event: CloudEvent = { form: "binary", attributes: map, data: { octets, is: "opaque" } };
      const { headers, body } = encodeMessage(event);
      const again = eventIn(decodeMessage(headers, body));
      assert.deepEqual(Object.fromEntries(again.attributes), Object.fromEntries([...map].map(([name, value]) => [name, canonical(value)])));
      assert.deepEqual(Buffer.from(again.data?.octets ?? []), Buffer.from(octets));
    }),
    { numRuns: 1_000 },
  );
});

test("any event in JSON comes back as it was, by way of binary mode, too", () => {
  fc.assert(
    fc.property(attributes, fc.option(fc.jsonValue()), fc.string({ unit: "binary" }), fc.uint8Array(), (map, json, string, octets) => {
      const type = map.get("datacontenttype");
      const data =
        type === "image/png"
          ? { data_base64: Buffer.from(octets).toString("base64") }
          : type === "text/plain; charset=utf-8"
            ? { data: string }
            : { data: json };
      const body = Buffer.from(JSON.stringify({ ...Object.fromEntries(map), ...data }));
      const event = eventIn(decodeMessage(JSON_TYPE, body));
      const again = encodeMessage(event);
      assert.deepEqual(JSON.parse(Buffer.from(again.body).toString()), JSON.parse(body.toString()));
      assert.deepEqual(eventIn(decodeMessage(again.headers, again.body)), event);
      const sent = encodeMessage(event, "binary");
      assert.deepEqual(Buffer.from(eventIn(decodeMessage(sent.headers, sent.body)).data?.octets ?? []), Buffer.from(event.data?.octets ?? []));
    }),
    { numRuns: 1_000 },
  );
});
