// What of the platform's PATH pods get.
import assert from "node:assert/strict";
import { test } from "node:test";
import { searchPath } from "./launch.ts";

const rows: readonly { readonly name: string; readonly given: string; readonly want: string }[] = [
  { name: "folders of the host stay in their order", given: "/opt/x/bin:/usr/bin:/bin", want: "/opt/x/bin:/usr/bin:/bin" },
  { name: "npm's own are left out", given: "/src/eider/node_modules/.bin:/src/node_modules/npm/bin:/usr/bin", want: "/usr/bin" },
  { name: "relative folders are left out", given: ".:bin::/usr/bin", want: "/usr/bin" },
  { name: "nothing gives the usual ones", given: "", want: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
];
for (const { name, given, want } of rows) test(`searchPath: ${name}`, () => assert.equal(searchPath(given), want));
