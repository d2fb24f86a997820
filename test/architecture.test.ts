// The house rules as tests: doors, directions, what each entry file may load, purity of plans, no kind's name in the API server.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { test } from "node:test";

const root = resolve(import.meta.dirname, "..");
const src = join(root, "src");

/** The table of style.md 2.2; ARCHITECTURE.md shows the same. A new edge is a change here, so a reviewer sees it. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  host: ["core"],
  protocol: ["core"],
  schema: ["core"],
  telemetry: ["core"],
  cesql: ["core"],
  kinds: ["core", "schema", "cesql"],
  store: ["core", "protocol"],
  log: ["core"],
  images: ["core", "telemetry"],
  apiserver: ["core", "schema", "store", "telemetry"],
  client: ["core", "schema"],
  reconcile: ["core", "schema", "client", "telemetry"],
  autoscaler: ["core", "protocol", "kinds", "telemetry"],
  controllers: ["core", "schema", "kinds", "client", "reconcile", "autoscaler"],
  routing: ["core", "protocol", "kinds", "client"],
  gateway: ["core", "protocol", "telemetry"],
  events: ["core", "protocol", "telemetry", "log", "cesql", "gateway/wire"],
  keeper: ["core", "protocol"],
  runtimes: ["core", "protocol", "schema", "kinds", "client", "telemetry", "images"],
  cli: ["core", "protocol", "schema", "kinds", "client", "autoscaler", "cesql"],
};

/** What each entry file may reach over the real module graph: rooms, and packages or built-ins that are forbidden. */
const ENTRIES: readonly {
  readonly entry: string;
  readonly rooms: readonly string[];
  readonly packages: readonly string[];
  readonly forbidden: readonly string[];
}[] = [
  {
    entry: "main/keeper.ts",
    rooms: ["main", "host", "core", "protocol", "keeper", "runtimes"],
    packages: ["pino"],
    forbidden: ["node:http", "node:https", "node:http2"],
  },
  {
    entry: "main/store-thread.ts",
    rooms: ["main", "core", "protocol", "store"],
    packages: [],
    forbidden: ["node:http", "node:https", "node:http2", "node:net"],
  },
  {
    entry: "main/cli.ts",
    rooms: ["main", "host", "core", "protocol", "schema", "telemetry", "cesql", "kinds", "client", "autoscaler", "images", "runtimes", "cli"],
    packages: ["commander", "yaml", "tar-stream", "dns-packet"],
    forbidden: ["node:sqlite"],
  },
  {
    entry: "main/serve-first.ts",
    rooms: ["main", ...Object.keys(MAY_IMPORT).filter((room) => room !== "cli")],
    packages: ["pino", "yaml", "tar-stream", "@peculiar/x509", "reflect-metadata", "re2js", "@marcbachmann/cel-js", "jose", "dns-packet"],
    forbidden: ["commander"],
  },
  {
    entry: "main/cluster-controllers.ts",
    rooms: [
      "main",
      "host",
      "core",
      "protocol",
      "schema",
      "telemetry",
      "cesql",
      "kinds",
      "client",
      "reconcile",
      "autoscaler",
      "controllers",
      "images",
      "runtimes",
      "cli",
      "apiserver",
      "store",
    ],
    packages: ["yaml", "tar-stream", "@peculiar/x509", "reflect-metadata"],
    forbidden: ["commander", "node:sqlite", "pino"],
  },
  {
    entry: "main/certificate-thread.ts",
    rooms: ["main", "host"],
    packages: ["@peculiar/x509", "reflect-metadata"],
    forbidden: ["node:http", "node:https", "node:http2", "node:sqlite", "node:net"],
  },
  {
    entry: "main/gateway-thread.ts",
    rooms: ["main", "host", "core", "protocol", "telemetry", "gateway"],
    packages: [],
    forbidden: ["node:http", "node:https", "node:http2", "node:sqlite"],
  },
  {
    entry: "main/events-thread.ts",
    rooms: ["main", "host", "core", "protocol", "telemetry", "events", "log", "cesql", "gateway"],
    packages: ["undici", "@bufbuild/protobuf/wire", "croner"],
    forbidden: ["node:sqlite", "node:https"],
  },
];

const DOORS = (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { imports: Record<string, { source: string }> }).imports;

const IMPORT = /(?:^|[;\s])(?:import|export)\b[^"';]*?from\s*["']([^"']+)["']|(?:^|[\s(=])import\(\s*["']([^"']+)["']/g;
const TYPE_ONLY = /(?:^|[;\s])(?:import|export)\s+type\b[^"';]*?from\s*["'][^"']+["']/g;

const roomOf = (path: string): string => relative(src, path).split(sep)[0] ?? "";
const sources = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join(src, file));
const isTest = (file: string): boolean => /\.test(-suite)?\.ts$/.test(file);
const importsOf = (text: string): string[] => [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");

/** All complaints about one file's imports; planted mistakes below prove that it complains. */
function wrongImports(file: string, text: string): string[] {
  const from = roomOf(file);
  return importsOf(text).flatMap((spec) => {
    const at = relative(src, file);
    if (spec.startsWith(".")) return roomOf(resolve(dirname(file), spec)) === from ? [] : [`${at}: ${spec} passes by a door`];
    if (!spec.startsWith("#") || from === "main") return [];
    return MAY_IMPORT[from]?.includes(spec.slice(1)) === true ? [] : [`${at}: ${from} may not import ${spec}`];
  });
}

test("every import goes through a door and points downwards", () => {
  assert.ok(sources.length > 100, `only ${sources.length} files were checked`);
  assert.deepEqual(
    sources.flatMap((file) => wrongImports(file, readFileSync(file, "utf8"))),
    [],
  );
});

test("the import check finds an upward import, a re-export and a reach past a door", () => {
  const file = join(src, "core/planted.ts");
  assert.equal(wrongImports(file, 'import { x } from "#store";').length, 1);
  assert.equal(wrongImports(file, 'export { x } from "#kinds";').length, 1);
  assert.equal(wrongImports(file, 'import { x } from "../store/port.ts";').length, 1);
  assert.equal(wrongImports(file, 'const x = await import("#client");').length, 1);
});

test("nothing imports main, and every room of the table exists and has one door", () => {
  assert.deepEqual(
    sources.filter((file) => roomOf(file) !== "main" && importsOf(readFileSync(file, "utf8")).some((spec) => /(^|\/)main\//.test(spec))),
    [],
  );
  const rooms = readdirSync(src, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .filter((name) => name !== "main");
  assert.deepEqual(rooms.sort(), Object.keys(MAY_IMPORT).sort());
  assert.deepEqual(
    rooms.filter((room) => !existsSync(join(src, room, "index.ts"))),
    [],
  );
});

/** Files and outside modules that an entry file loads, by value imports and literal dynamic imports. */
function graphOf(entry: string): { readonly rooms: Set<string>; readonly outside: Set<string> } {
  const seen = new Set<string>();
  const outside = new Set<string>();
  const visit = (file: string): void => {
    if (seen.has(file)) return;
    seen.add(file);
    for (const spec of importsOf(readFileSync(file, "utf8").replaceAll(TYPE_ONLY, ""))) {
      if (spec.startsWith(".")) visit(resolve(dirname(file), spec));
      else if (spec.startsWith("#entry/")) continue;
      else if (spec.startsWith("#")) visit(join(root, DOORS[spec]?.source ?? `no door ${spec}`));
      else outside.add(spec);
    }
  };
  visit(join(src, entry));
  return { rooms: new Set([...seen].map(roomOf)), outside };
}

for (const { entry, rooms, packages, forbidden } of ENTRIES) {
  test(`${entry} reaches only its rooms and packages`, () => {
    const graph = graphOf(entry);
    assert.deepEqual(
      [...graph.rooms].filter((room) => !rooms.includes(room)),
      [],
    );
    const outside = [...graph.outside];
    assert.deepEqual(
      outside.filter((name) => !name.startsWith("node:") && !packages.includes(name)),
      [],
    );
    assert.deepEqual(
      outside.filter((name) => forbidden.includes(name)),
      [],
    );
  });
}

test("plans are pure: no async, no client, no clock", () => {
  const plans = sources.filter((file) => /controllers\/.*\/plan\.ts$/.test(file));
  assert.ok(plans.length >= 8, `only ${plans.length} plans were checked`);
  const impure = plans.filter((file) => {
    const text = readFileSync(file, "utf8").replaceAll(TYPE_ONLY, "");
    return /\basync\b|\bawait\b|from "#client"|from "node:(?!util")/.test(text);
  });
  assert.deepEqual(impure, []);
});

test("the API server holds no kind's name", () => {
  const kinds =
    /\b(Pod|Deployment|ReplicaSet|Namespace|ConfigMap|Secret|ServiceAccount|Endpoints|EndpointSlice|Revision|Route|Configuration|PodAutoscaler|Ingress)\b/;
  const named = sources
    .filter((file) => roomOf(file) === "apiserver" && !isTest(file))
    .filter((file) => {
      const code = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
      return [...code.matchAll(/"([^"\n]*)"|'([^'\n]*)'|`([^`]*)`/g)].some((match) => kinds.test(match[0]) && !/may not|must/.test(match[0]));
    });
  assert.deepEqual(named, []);
});

test("the first line of every source file says what it holds", () => {
  const mute = sources.filter((file) => !isTest(file) && !/\.(data|types)\.ts$/.test(file) && !/^(\/\/|\/\*)/.test(readFileSync(file, "utf8")));
  assert.deepEqual(
    mute.map((file) => relative(root, file)),
    [],
  );
});

test("ARCHITECTURE.md shows the same table of imports", () => {
  const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const shown = Object.fromEntries([...page.matchAll(/^\| `(\w+)` \|[^|]*\| ([^|]*) \|$/gm)].map((row) => [row[1] ?? "", (row[2] ?? "").trim()]));
  const wanted = Object.fromEntries(Object.entries(MAY_IMPORT).map(([room, rooms]) => [room, rooms.length === 0 ? "—" : rooms.join(" ")]));
  assert.deepEqual(shown, wanted);
});
