// Filters as rows, and the index against the naive way for any filters and events.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { EventFilter, EventSelection } from "#protocol";
import type { AttributeValue } from "../cloudevents/event.ts";
import { FilterIndex } from "./filter-index.ts";
import { matcherFor } from "./matcher.ts";

const EVENT = new Map<string, AttributeValue>([
  ["specversion", "1.0"],
  ["id", "1"],
  ["source", "https://example.com/x"],
  ["type", "com.example.made"],
  ["datacontenttype", "Text/Plain; charset=utf-8"],
  ["dataschema", "https://example.com/schema"],
  ["n", 5],
  ["yes", true],
  ["empty", ""],
]);

const passes = (selection: Partial<EventSelection>): boolean => matcherFor({ attributes: {}, filters: [], ...selection }).matches(EVENT);

const legacy: readonly (readonly [name: string, attributes: Record<string, string>, want: boolean])[] = [
  ["none", {}, true],
  ["all are equal", { type: "com.example.made", id: "1" }, true],
  ["one differs", { type: "com.example.made", id: "2" }, false],
  ["case counts", { type: "Com.example.made" }, false],
  ["missing", { subject: "x" }, false],
  ["an empty value asks for presence", { type: "", n: "" }, true],
  ["an empty value of what is missing", { subject: "" }, false],
  ["a value that is empty is there", { empty: "" }, true],
  ["an integer by its string form", { n: "5" }, true],
  ["a boolean by its string form", { yes: "true" }, true],
  ["the older name of dataschema", { schemaurl: "https://example.com/schema" }, true],
  ["the media type without parameters", { datamediatype: "text/plain" }, true],
  ["a name of all objects", { constructor: "x" }, false],
];
for (const [name, attributes, want] of legacy) test(`the attribute filter: ${name}`, () => assert.equal(passes({ attributes }), want));

const yes: EventFilter = { exact: { id: "1" } };
const no: EventFilter = { exact: { id: "2" } };
const nothing: EventFilter = {};
const dialects: readonly (readonly [name: string, filters: readonly EventFilter[], want: boolean])[] = [
  ["exact", [{ exact: { type: "com.example.made", n: "5" } }], true],
  ["exact, one differs", [{ exact: { type: "com.example.made", n: "6" } }], false],
  ["exact, missing", [{ exact: { subject: "x" } }], false],
  ["prefix", [{ prefix: { source: "https://", type: "com." } }], true],
  ["prefix, missing", [{ prefix: { subject: "x" } }], false],
  ["prefix of a typed value", [{ prefix: { yes: "tr" } }], true],
  ["suffix", [{ suffix: { type: ".made" } }], true],
  ["suffix, differs", [{ suffix: { type: ".made", id: "2" } }], false],
  ["the list is a conjunction", [yes, no], false],
  ["all", [{ all: [yes, yes] }], true],
  ["all, one fails", [{ all: [yes, no] }], false],
  ["any", [{ any: [no, yes] }], true],
  ["any, none passes", [{ any: [no, no] }], false],
  ["not", [{ not: no }], true],
  ["not not", [{ not: { not: no } }], false],
  ["not of what is missing", [{ not: { exact: { subject: "x" } } }], true],
  ["cesql", [{ cesql: "n > 4 AND type LIKE '%.made'" }], true],
  ["cesql, false", [{ cesql: "n > 5" }], false],
  ["cesql with an error", [{ cesql: "subject != 'x'" }], false],
  ["cesql that is no boolean", [{ cesql: "n" }], false],
  ["not of a cesql with an error", [{ not: { cesql: "subject = 'x'" } }], true],
  ["no dialect says nothing", [nothing], true],
  ["an empty map says nothing", [{ exact: {} }, yes], true],
  ["an empty value says nothing", [{ exact: { id: "", type: "other" } }], true],
  ["an expression that cannot be read says nothing", [{ cesql: "(" }], true],
  ["not of nothing says nothing", [{ not: nothing }], true],
  ["nothing in a list is left out of it", [{ any: [no, nothing] }], false],
  ["a list of nothing says nothing", [{ any: [nothing] }, { all: [] }, { not: { any: [] } }], true],
  ["nothing in a list does not change its negation", [{ not: { all: [yes, nothing] } }], false],
];
for (const [name, filters, want] of dialects) test(`dialects: ${name}`, () => assert.equal(passes({ filters }), want));

test("filters put the attribute filter out of force", () => assert.equal(passes({ attributes: { id: "2" }, filters: [yes] }), true));

const name = fc.constantFrom("type", "source", "n", "ext");
const value = fc.constantFrom("a", "b", "5", "05", "true");
const values = fc.dictionary(name, fc.oneof(value, fc.constant("")), { maxKeys: 3 });
const cesql = fc.constantFrom(
  "type = 'a'",
  "type = 'a' OR type = 'b'",
  "type = 'a' OR source = 'b'",
  "type IN ('a', 'b') AND n = 5",
  "n = '5'",
  "'05' = n",
  "n IN ('05', 'x')",
  "ext = 'a' AND NOT source = 'b'",
  "type = 'a' XOR source = 'a'",
  "type IN (source, 'a')",
  "TRUE",
);
const filter = fc.letrec<{ filter: EventFilter }>((tie) => ({
  filter: fc.oneof(
    { depthSize: "small" },
    fc.record({ exact: values }),
    fc.record({ prefix: values }),
    fc.record({ suffix: values }),
    fc.record({ cesql }),
    fc.constant({}),
    fc.record({ all: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ any: fc.array(tie("filter"), { maxLength: 3 }) }),
    fc.record({ not: tie("filter") }),
  ),
})).filter;
const selection: fc.Arbitrary<EventSelection> = fc.record({ attributes: values, filters: fc.array(filter, { maxLength: 2 }) });
const event = fc
  .dictionary(name, fc.oneof(value, fc.constant(5), fc.constant(true)))
  .map((attributes) => new Map<string, AttributeValue>([...EVENT, ["type", "a"], ["source", "b"], ...Object.entries(attributes)]));

test("the index finds what asking everybody finds, also after changes", () => {
  fc.assert(
    fc.property(fc.array(selection, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(7)), event, (selections, removed, attributes) => {
      const index = new FilterIndex<number>();
      const there = new Map<number, EventSelection>();
      const put = (id: number, chosen: EventSelection): void => {
        index.set(String(id), matcherFor(chosen), id);
        there.set(id, chosen);
      };
      for (const [id, one] of selections.entries()) put(id, one);
      for (const id of removed) {
        if (id % 2 === 0) put(id, selections[(id + 1) % selections.length] as EventSelection);
        else {
          index.delete(String(id));
          there.delete(id);
        }
      }
      const naive = [...there].filter(([, one]) => matcherFor(one).matches(attributes)).map(([id]) => id);
      assert.deepEqual(new Set(index.matching(attributes)), new Set(naive));
      assert.equal(index.size, there.size);
    }),
    { numRuns: 3_000 },
  );
});

test("an event asks only those who are filed under its values", () => {
  const index = new FilterIndex<number>();
  for (let id = 0; id < 1_000; id++) index.set(String(id), matcherFor({ attributes: { type: "com.example.made", source: `/${id}` }, filters: [] }), id);
  let asked = 0;
  const counted = new Map(EVENT);
  counted.set("source", "/7");
  counted.get = (key: string): AttributeValue | undefined => {
    asked++;
    return Map.prototype.get.call(counted, key) as AttributeValue | undefined;
  };
  assert.deepEqual(index.matching(counted), [7]);
  assert.ok(asked < 10, `${asked} attributes were read`);
});
