// `eider event eval` as whole command lines, over files in memory.
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimClock } from "#core";
import type { CliContext } from "./context.ts";
import { EXIT } from "./exit.ts";
import { withExpressionLast } from "./expression-words.ts";
import { runCli } from "./program.ts";

async function run(words: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const context: Partial<CliContext> = {
    argv: ["event", "eval", ...words],
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    colour: false,
    env: {},
    home: "/",
    clock: new SimClock(),
    version: "0",
    signal: new AbortController().signal,
    exists: (path) => path in files,
    readText: async (path) => files[path] ?? Promise.reject(new Error("no such file")),
  };
  const code = await runCli(context as CliContext);
  return { code, out, err };
}

const EVENT = '{"specversion":"1.0","id":"7","source":"/x","type":"t","n":5,"yes":true,"gone":null,"data":{"n":6}}';

const rows: readonly { readonly words: readonly string[]; readonly want: string }[] = [
  { words: ["TRUE", "-o", "json"], want: '{"value":true,"error":null}\n' },
  { words: ["-o", "json", "LENGTH('abc')"], want: '{"value":3,"error":null}\n' },
  { words: ["-10", "-ojson"], want: '{"value":-10,"error":null}\n' },
  { words: ["--10", "--output=json"], want: '{"value":10,"error":null}\n' },
  { words: ["-o", "json", "-output"], want: '{"value":0,"error":"missingAttribute"}\n' },
  { words: ["-4 + 1", "-o", "json", "--event", "e"], want: '{"value":-3,"error":null}\n' },
  { words: ["-n", "--event=e", "-o", "json"], want: '{"value":-5,"error":null}\n' },
  { words: ["-o", "json", "--", "-1"], want: '{"value":-1,"error":null}\n' },
  { words: ["ABC(", "-o", "json"], want: '{"value":false,"error":"parse"}\n' },
  { words: ["", "-o", "json"], want: '{"value":false,"error":"parse"}\n' },
  { words: ["missing", "-o", "json"], want: '{"value":false,"error":"missingAttribute"}\n' },
  { words: ["EXISTS gone OR EXISTS data", "--event", "e", "-o", "json"], want: '{"value":false,"error":null}\n' },
  { words: ["yes AND n = '5'", "--event", "-", "-o", "json"], want: '{"value":true,"error":null}\n' },
  { words: ["n", "--event", "ours", "-o", "json"], want: '{"value":9,"error":null}\n' },
  { words: ["time", "--event", "yaml", "-o", "yaml"], want: "value: 2018-04-26T14:48:09+02:00\nerror: null\n" },
  { words: ["id", "--event", "e"], want: 'value    "7" (String)\nfilter   does not pass: only a Boolean can\n' },
  { words: ["n > 4", "--event", "e"], want: "value    true (Boolean)\nfilter   passes\n" },
  {
    words: ["id =", "--event", "e"],
    want: [
      "value    false (Boolean)",
      "error    parse: the expression ends where a value is wanted (at position 5)",
      "         id =",
      "             ^",
      "filter   refused: a Trigger with it cannot be written\n",
    ].join("\n"),
  },
];
const FILES = {
  e: EVENT,
  "-": EVENT,
  ours: '{"attributes":{"specversion":"1.0","id":"7","source":"/x","type":"t","n":9}}',
  yaml: "specversion: '1.0'\nid: '1'\nsource: /x\ntype: t\ntime: 2018-04-26T14:48:09+02:00\n",
};
for (const { words, want } of rows) {
  test(`event eval ${words.join(" ")}`, async () => assert.deepEqual(await run(words, FILES), { code: EXIT.ok, out: want, err: "" }));
}

test("an event that lacks required attributes is filled, and says so", async () => {
  const got = await run(["EXISTS id AND amount > 100", "--event", "-", "-o", "json"], { "-": '{"type":"order.made","amount":120}' });
  assert.deepEqual(got, { code: 0, out: '{"value":true,"error":null}\n', err: "Note: the event has no specversion, id, source; a sample's stand in.\n" });
});

const refused: readonly (readonly [name: string, text: string, message: RegExp])[] = [
  ["a list", "[]", /no event/],
  ["no JSON", "{", /neither JSON nor YAML/],
  ["a large integer", '{"n":2147483648}', /integer of 32 bits/],
  ["a fraction", '{"n":1.5}', /integer of 32 bits/],
  ["an object", '{"n":{}}', /attribute "n"/],
  ["a name in capitals", '{"N":1}', /lower-case/],
];
for (const [name, text, message] of refused) {
  test(`event eval refuses ${name} as an event`, async () => {
    const got = await run(["TRUE", "--event", "e"], { e: text });
    assert.equal(got.code, EXIT.usage);
    assert.match(got.err, message);
  });
}

test("event eval: a file that is not there, and an expression in several words", async () => {
  assert.equal((await run(["TRUE", "--event", "none"])).code, EXIT.notFound);
  assert.equal((await run(["id", "=", "'1'"])).code, EXIT.usage);
  assert.equal((await run([])).code, EXIT.usage);
});

test("only an expression that needs it is moved", () => {
  assert.deepEqual(withExpressionLast(["service", "list", "-x"]), ["service", "list", "-x"]);
  assert.deepEqual(withExpressionLast(["event", "eval", "id", "-o", "json"]), ["event", "eval", "id", "-o", "json"]);
  assert.deepEqual(withExpressionLast(["event", "eval", "-1", "-o", "json"]), ["event", "eval", "-o", "json", "--", "-1"]);
  assert.deepEqual(withExpressionLast(["event", "eval", "-h"]), ["event", "eval", "-h"]);
});
