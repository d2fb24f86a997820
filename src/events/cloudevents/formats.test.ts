// The protobuf and Avro formats: known octets, round trips of any event, and octets of strangers.
import assert from "node:assert/strict";
import { test } from "node:test";
import avsc from "avsc";
import fc from "fast-check";
import { decodeAvro, encodeAvro } from "./avro-format.ts";
import type { AttributeValue, CloudEvent, DataIs, EventForm, TypedText } from "./event.ts";
import { withAttributes } from "./event.ts";
import { decodeMessage, encodeMessage } from "./http.ts";
import { decodeProtobuf, decodeProtobufBatch, encodeProtobuf } from "./protobuf-format.ts";
import { nanosecondsOf, timestampOf } from "./timestamp.ts";

const REQUIRED = { specversion: "1.0", id: "1", source: "/x", type: "t" };
const eventOf = (
  form: EventForm,
  attributes: object,
  data?: { octets: Uint8Array; is: DataIs; typeUrl?: string },
  types?: Map<string, TypedText>,
): CloudEvent => ({
  form,
  attributes: new Map(Object.entries({ ...REQUIRED, ...attributes }) as [string, AttributeValue][]),
  ...(types === undefined ? {} : { types }),
  ...(data === undefined ? {} : { data }),
});

/** The schema of CloudEvents 1.0. */
const VALUE_RECORD = {
  type: "record",
  name: "AvroCloudEventData",
  fields: [
    {
      name: "value",
      type: {
        type: "map",
        values: ["null", "boolean", { type: "map", values: "AvroCloudEventData" }, { type: "array", items: "AvroCloudEventData" }, "double", "string"],
      },
    },
  ],
};
const schema = avsc.Type.forSchema({
  namespace: "io.cloudevents",
  type: "record",
  name: "AvroCloudEvent",
  fields: [
    { name: "attribute", type: { type: "map", values: ["null", "boolean", "int", "string", "bytes"] } },
    {
      name: "data",
      type: [
        "bytes",
        "null",
        "boolean",
        { type: "map", values: ["null", "boolean", VALUE_RECORD, "double", "string"] },
        { type: "array", items: "AvroCloudEventData" },
        "double",
        "string",
      ],
    },
  ],
} as avsc.Schema);

interface AvroRecord {
  readonly attribute: Record<string, unknown>;
  readonly data: unknown;
}

test("protobuf: the octets of an event, field by field", () => {
  const hex = [
    "0a0131", // id
    "12022f78", // source
    "1a03312e30", // specversion
    "220174", // type
    "2a10 0a016e 120b 10fbffffffffffffffff01".replaceAll(" ", ""), // n: -5
    "2a07 0a0179 1202 0801".replaceAll(" ", ""), // y: true
    "2a10 0a0474696d65 1208 3a06 08808083dc05".replaceAll(" ", ""), // time: 2018-…
    "3a0161", // text "a"
  ].join("");
  const decoded = decodeProtobuf(Buffer.from(hex, "hex"));
  assert.ok(!("fault" in decoded), JSON.stringify(decoded));
  assert.deepEqual(Object.fromEntries(decoded.attributes), {
    id: "1",
    source: "/x",
    specversion: "1.0",
    type: "t",
    n: -5,
    y: true,
    time: timestampOf(1_535_164_416n, 0),
  });
  assert.deepEqual(decoded.data, { octets: Buffer.from("a"), is: "text" });
  assert.equal(Buffer.from(encodeProtobuf(decoded)).toString("hex"), hex);
});

test("Avro: a library reads what is written, and what it writes is read", () => {
  const event = eventOf("avro", { n: -2147483648, yes: true, datacontenttype: "application/json", bin: "AAE=" }, undefined, new Map([["bin", "binary"]]));
  const json = '{"a":1.5,"b":{"c":"x","d":{"e":{"f":null}},"g":[{"h":true}]},"i":null}';
  const full = { ...event, data: { octets: Buffer.from(json), is: "json" as const } };
  const read = schema.fromBuffer(Buffer.from(encodeAvro(full))) as AvroRecord;
  assert.deepEqual({ ...read.attribute }, { ...REQUIRED, n: -2147483648, yes: true, datacontenttype: "application/json", bin: Buffer.from("AAE=", "base64") });
  assert.equal(Buffer.isBuffer(read.data), false, "the JSON value is written as one");
  assert.deepEqual(decodeAvro(schema.toBuffer(read)), full);
});

const dataInAvro: readonly (readonly [type: string | undefined, data: unknown, is: DataIs | undefined, text: string | undefined])[] = [
  [undefined, null, undefined, undefined],
  [undefined, Buffer.from("x"), "binary", "x"],
  ["text/plain", "x", "text", "x"],
  ["application/json", "x", "json", '"x"'],
  [undefined, 1.5, "json", "1.5"],
  [undefined, true, "json", "true"],
  [undefined, [{ value: { a: 1 } }], "json", '[{"a":1}]'],
];
for (const [type, data, is, text] of dataInAvro) {
  test(`Avro: data ${JSON.stringify(data)} of type ${type}`, () => {
    const octets = schema.toBuffer({ attribute: { ...REQUIRED, ...(type === undefined ? {} : { datacontenttype: type }) }, data });
    const event = decodeAvro(octets);
    assert.ok(!("fault" in event), JSON.stringify(event));
    assert.equal(event.data?.is, is);
    assert.equal(event.data && Buffer.from(event.data.octets).toString(), text);
    assert.deepEqual(schema.fromBuffer(Buffer.from(encodeAvro(event))), schema.fromBuffer(octets));
  });
}

test("JSON that Avro's schema has no place for goes as octets", () => {
  for (const text of ["[1]", "null", '{"a":[1]}', "{ }", "12345678901234567890", "[".repeat(200_000) + "]".repeat(200_000)]) {
    const octets = encodeAvro(eventOf("json", {}, { octets: Buffer.from(text), is: "json" }));
    const { data, attribute } = schema.fromBuffer(Buffer.from(octets)) as AvroRecord;
    assert.equal(String(data), text);
    assert.equal(attribute["datacontenttype"], "application/json");
  }
});

const name = fc.stringMatching(/^x[a-z0-9]{0,6}$/);
const word = fc.string({ unit: "grapheme-ascii", minLength: 1 });
const typed: readonly (readonly [type: TypedText, value: fc.Arbitrary<string>])[] = [
  ["binary", fc.uint8Array().map((octets) => Buffer.from(octets).toString("base64"))],
  ["uri", fc.constant("https://x/y")],
  ["uriReference", fc.constant("/y")],
  [
    "timestamp",
    fc
      .tuple(fc.bigInt({ min: -62_135_596_800n, max: 253_402_300_799n }), fc.constantFrom(0, 1, 5_000_000, 120_000, 999_999_999))
      .map(([seconds, nanos]) => timestampOf(seconds, nanos) ?? ""),
  ],
];
const texts = fc.array(fc.tuple(name, fc.oneof(...typed.map(([type, value]) => fc.tuple(fc.constant(type), value)))), { maxLength: 4 });
const plain = fc.dictionary(name, fc.oneof(word, fc.boolean(), fc.integer({ min: -2147483648, max: 2147483647 })), { maxKeys: 4 });

const protobufEvent = fc
  .tuple(plain, texts, fc.uint8Array(), fc.string({ unit: "binary" }), fc.constantFrom<DataIs | undefined>(undefined, "binary", "text", "proto"))
  .map(([attributes, more, octets, text, is]) => {
    const all = { ...attributes, ...Object.fromEntries(more.map(([key, [, value]]) => [key, value])) };
    const types = new Map(more.filter(([key, [, value]]) => all[key] === value && value !== "").map(([key, [type]]) => [key, type]));
    const data =
      is === undefined
        ? undefined
        : { octets: is === "text" ? Buffer.from(text) : octets, is, ...(is === "proto" ? { typeUrl: "type.googleapis.com/x.Y" } : {}) };
    return eventOf("protobuf", all, data, types.size === 0 ? undefined : types);
  });

test("any event in protobuf comes back as it was, alone and in a batch", () => {
  fc.assert(
    fc.property(protobufEvent, (event) => {
      const { headers, body } = encodeMessage(event);
      const again = decodeMessage(headers, body);
      assert.ok(again.is === "event", JSON.stringify(again));
      assert.deepEqual(comparable(again.event), comparable(event));
      const batch = decodeProtobufBatch(Buffer.concat([Buffer.from([0x0a]), varint(body.length), body]));
      assert.ok(!("fault" in batch));
      assert.deepEqual(batch.map(comparable), [comparable(event)]);
    }),
    { numRuns: 500 },
  );
});

const comparable = ({ form, attributes, types, data }: CloudEvent): object => ({
  form,
  attributes: Object.fromEntries(attributes),
  types: Object.fromEntries(types ?? []),
  data: data && { ...data, octets: Buffer.from(data.octets).toString("hex") },
});

function varint(value: number): Uint8Array {
  const octets: number[] = [];
  for (let rest = value; ; rest >>= 7) {
    if (rest < 0x80) return Uint8Array.from([...octets, rest]);
    octets.push((rest & 0x7f) | 0x80);
  }
}

/** White space around JSON is no part of it: as a member of another text it is gone. */
function kept(data: Uint8Array, type: string | undefined, forms: readonly EventForm[]): Buffer {
  const octets = Buffer.from(data);
  const trimmed = octets.toString("latin1").replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, "");
  try {
    if (type !== "application/json" || !forms.includes("json")) return octets;
    JSON.parse(octets.toString());
    return Buffer.from(trimmed, "latin1");
  } catch {
    return octets;
  }
}

const MEDIA_TYPES = ["application/json", "text/plain", "image/png", undefined];
test("the octets of any data are the same after a way through any two forms", () => {
  const forms = fc.constantFrom<EventForm>("binary", "json", "protobuf", "avro");
  const octets = fc.oneof(
    fc.uint8Array({ minLength: 1 }),
    fc.jsonValue().map((value) => new Uint8Array(Buffer.from(JSON.stringify(value)))),
    word.map((text) => new Uint8Array(Buffer.from(text))),
  );
  fc.assert(
    fc.property(octets, fc.constantFrom(...MEDIA_TYPES), forms, forms, (data, type, first, second) => {
      const event = eventOf("binary", type === undefined ? {} : { datacontenttype: type }, { octets: data, is: "opaque" });
      const through = (from: CloudEvent, form: EventForm): CloudEvent => {
        const { headers, body } = encodeMessage(from, form);
        const decoded = decodeMessage(headers, body);
        assert.ok(decoded.is === "event", JSON.stringify(decoded));
        return decoded.event;
      };
      const last = through(through(event, first), second);
      assert.deepEqual(Object.fromEntries(last.attributes), Object.fromEntries(event.attributes));
      assert.equal(Buffer.from(last.data?.octets ?? []).toString("hex"), kept(data, type, [first, second]).toString("hex"), `${first} ${second}`);
    }),
    { numRuns: 2_000 },
  );
});

test("white space around JSON data is gone once they were a member of a JSON event, and nothing else", () => {
  const event = eventOf("binary", { datacontenttype: "application/json" }, { octets: Buffer.from(' {"a": 1.0}\n'), is: "opaque" });
  const { headers, body } = encodeMessage(event, "json");
  const decoded = decodeMessage(headers, body);
  assert.ok(decoded.is === "event");
  assert.equal(Buffer.from(decoded.event.data?.octets ?? []).toString(), '{"a": 1.0}');
});

test("octets of strangers are told, soon and without a throw", () => {
  const valid = [Buffer.from(encodeProtobuf(eventOf("protobuf", { n: 5 }))), Buffer.from(encodeAvro(eventOf("avro", { n: 5 })))];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(60), fc.nat(255), (octets, at, octet) => {
      for (const decode of [decodeProtobuf, decodeProtobufBatch, decodeAvro]) decode(octets);
      for (const good of valid) {
        const bad = Buffer.from(good);
        bad[at % bad.length] = octet;
        decodeProtobuf(bad);
        decodeAvro(bad.subarray(0, at));
        decodeAvro(bad);
      }
    }),
    { numRuns: 5_000 },
  );
  // A map of 2^30 entries, of which there are none.
  assert.deepEqual(decodeAvro(Buffer.from("8080808008", "hex")), {
    fault: "the body is no Avro record of an event: a block of more items than there are octets",
  });
});

test("an attribute that is set anew loses the type that its form had told", () => {
  const event = withAttributes(eventOf("protobuf", { x: "AAE=" }, undefined, new Map([["x", "binary"]])), { x: "AAE=" });
  const again = decodeProtobuf(encodeProtobuf(event));
  assert.ok(!("fault" in again));
  assert.equal(again.types, undefined);
});

test("timestamps keep their nanoseconds, or stay texts", () => {
  assert.deepEqual(nanosecondsOf("2018-04-26T14:48:09.000000001+02:00"), { seconds: 1524746889n, nanos: 1 });
  assert.equal(timestampOf(1524746889n, 120_000_000), "2018-04-26T12:48:09.120Z");
  assert.equal(timestampOf(1524746889n, 120_000), "2018-04-26T12:48:09.000120Z");
  assert.equal(nanosecondsOf("2018-04-26T14:48:09.0000000001Z"), undefined);
  assert.equal(timestampOf(253_402_300_800n, 0), undefined);
});
