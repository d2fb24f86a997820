// Runs the gateway's own sources one atomic operation at a time: their text is loaded as generators that stop before each one.
//
// Nothing of this is in the product. The loader takes the types off, makes generators of the methods that lead to an atomic
// operation, delegates to them where they are called, and puts a `yield` in front of each `Atomics.…`. A planted fault is a change
// of that text.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";

/** The atomic operation that comes next. */
export type Step = "load" | "store" | "add" | "sub" | "or" | "exchange" | "compareExchange" | "notify";
/** A call under way; its value once it has ended. */
export type Stepping<T = void> = Generator<Step, T, void>;

const SOURCES = new URL("../../src/gateway/", import.meta.url);

/** The files that are loaded in steps; the others are as they are. */
const STEPPED: Readonly<Record<string, string>> = {
  "in-flight": "shared/in-flight.ts",
  doorbell: "shared/doorbell.ts",
  recovery: "shared/recovery.ts",
  choice: "pods/choice.ts",
  backend: "pods/backend.ts",
  lender: "lent/lender.ts",
  borrower: "lent/borrower.ts",
};

/** A method of a class, at its indentation, up to its closing brace. Getters hold no atomic operation, and `listen` is the shell's. */
const METHOD = /^  (?!get |async |constructor|if |for |while )(#?\w+)\([^]*?^  \}$/gm;
const OPERATION = /\bAtomics\.(?!waitAsync)/;

/** Names of all methods that lead to an atomic operation, directly or through one another. */
function stepping(texts: readonly string[]): ReadonlySet<string> {
  const bodies = texts.flatMap((text) => [...text.matchAll(METHOD)].map(([whole, name = ""]) => ({ name, body: whole.slice(whole.indexOf("{")) })));
  const names = new Set<string>();
  for (let before = -1; before < names.size;) {
    before = names.size;
    for (const { name, body } of bodies) {
      const calls = [...body.matchAll(/\.(#?\w+)\(/g)].map(([, called = ""]) => called);
      if (OPERATION.test(body) || calls.some((called) => names.has(called))) names.add(name);
    }
  }
  return names;
}

/** A change of the text of one file; `find` must be there. */
export interface Fault {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const faults = new Map<string, Fault>();
let hooked = false;

/** The classes of a file as they are, or with a fault. */
export async function stepped<M>(file: string, fault?: Fault): Promise<M> {
  hook();
  const variant = fault === undefined ? "plain" : `fault${[...faults.values()].findIndex((known) => known === fault) + 1 || plant(fault)}`;
  return (await import(new URL(`${STEPPED[file] ?? ""}?stepped=${variant}`, SOURCES).href)) as M;
}

function plant(fault: Fault): number {
  const number = faults.size + 1;
  faults.set(`fault${number}`, fault);
  return number;
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  registerHooks({
    resolve(specifier, context, next) {
      const variant = new URL(context.parentURL ?? "file:///").searchParams.get("stepped");
      const name = /([\w-]+)\.ts$/.exec(specifier)?.[1] ?? "";
      const path = STEPPED[name];
      if (variant === null || path === undefined) return next(specifier, context);
      return { url: new URL(`${path}?stepped=${variant}`, SOURCES).href, format: "module", shortCircuit: true };
    },
    load(url, context, next) {
      const { searchParams, pathname } = new URL(url);
      const variant = searchParams.get("stepped");
      if (variant === null) return next(url, context);
      const name = /([\w-]+)\.ts$/.exec(pathname)?.[1] ?? "";
      let text = readFileSync(new URL(STEPPED[name] ?? "", SOURCES), "utf8");
      const fault = faults.get(variant);
      if (fault?.file === name) {
        assert.ok(text.includes(fault.find), `${name}.ts does not hold the text of the planted fault any more: ${fault.find}`);
        text = text.replaceAll(fault.find, fault.put);
      }
      return { format: "module", source: steppedText(text, steppedNames()), shortCircuit: true };
    },
  });
}

let known: ReadonlySet<string> | undefined;
function steppedNames(): ReadonlySet<string> {
  return (known ??= stepping(Object.values(STEPPED).map((path) => stripTypeScriptTypes(readFileSync(new URL(path, SOURCES), "utf8")))));
}

function steppedText(source: string, methods: ReadonlySet<string>): string {
  const text = stripTypeScriptTypes(source).replace(METHOD, (whole, name: string) => (methods.has(name) ? `  *${whole.slice(2)}` : whole));
  return `${delegating(text)}\nfunction* $atomic(step, ...args) { yield step; return Atomics[step](...args); }\n`;
}

const CALL = /\bAtomics\.(\w+)\(|(?<![\w$.#])((?:[\w$]+\??\.)(?:#?[\w$]+\??\.)*)(#?[\w$]+)\(/g;

function delegating(text: string): string {
  let out = "";
  let from = 0;
  CALL.lastIndex = 0;
  for (let match = CALL.exec(text); match !== null; match = CALL.exec(text)) {
    const [whole, operation, receiver = "", method = ""] = match;
    const open = match.index + whole.length;
    // The promise-based wait belongs to the shell, which the model takes the place of.
    const isStep = operation === undefined ? steppedNames().has(method) : operation !== "waitAsync";
    if (!isStep || isInAsync(text, match.index)) continue;
    const close = closing(text, open);
    const args = delegating(text.slice(open, close));
    out += text.slice(from, match.index);
    out += operation === undefined ? `(yield* ${receiver}${method}(${args}))` : `(yield* $atomic("${operation}", ${args}))`;
    from = close + 1;
    CALL.lastIndex = from;
  }
  return out + text.slice(from);
}

/** `listen` stays as it is. */
function isInAsync(text: string, at: number): boolean {
  const method = text.lastIndexOf("\n  async ", at);
  return method >= 0 && !text.slice(method, at).includes("\n  }\n");
}

function closing(text: string, open: number): number {
  let depth = 1;
  for (let at = open; at < text.length; at++) {
    if (text[at] === "(") depth++;
    else if (text[at] === ")" && --depth === 0) return at;
  }
  throw new Error("a call without an end");
}
