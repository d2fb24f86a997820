// The log's own sources with a planted fault: a change of one file's text as it is loaded. Nothing of this is in the product.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import type { Code } from "./model.ts";

const SOURCES = new URL("../../src/log/", import.meta.url);

/** `find` must be there, once. */
export interface Fault {
  readonly file: string;
  readonly find: string;
  readonly put: string;
}

const faults: Fault[] = [];

/** The log as it is, or with a fault. */
export async function codeWith(fault?: Fault): Promise<Code> {
  if (fault === undefined) return (await import(new URL("log.ts", SOURCES).href)) as Code;
  if (faults.length === 0) hook();
  return (await import(new URL(`log.ts?fault=${faults.push(fault)}`, SOURCES).href)) as Code;
}

const faultOf = (url: string | undefined): string | null => new URL(url ?? "file:///").searchParams.get("fault");

function hook(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const fault = context.parentURL?.startsWith(SOURCES.href) === true && specifier.startsWith("./") ? faultOf(context.parentURL) : null;
      if (fault === null) return next(specifier, context);
      return { url: new URL(`${specifier}?fault=${fault}`, SOURCES).href, format: "module", shortCircuit: true };
    },
    load(url, context, next) {
      const fault = url.startsWith(SOURCES.href) ? faults[Number(faultOf(url)) - 1] : undefined;
      if (fault === undefined) return next(url, context);
      const path = new URL(url);
      path.search = "";
      let text = readFileSync(path, "utf8");
      if (path.pathname.endsWith(`/${fault.file}.ts`)) {
        assert.equal(text.split(fault.find).length, 2, `${fault.file}.ts does not hold the text of the planted fault once: ${fault.find}`);
        text = text.replace(fault.find, () => fault.put);
      }
      return { format: "module", source: stripTypeScriptTypes(text), shortCircuit: true };
    },
  });
}
