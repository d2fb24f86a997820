// `npm run golden -- DIR`: formats told apart by content, planted faults, skips, exit codes.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const GOLDEN = import.meta.dirname;
const SCRIPT = join(GOLDEN, "../../scripts/golden.ts");

interface Files {
  readonly [name: string]: unknown;
}

/** Runs the chore on a folder of these files; texts are written as they are, all else as JSON. */
function golden(files: Files): { readonly status: number | null; readonly lines: readonly string[]; readonly error: string } {
  const folder = mkdtempSync(join(tmpdir(), "eider-golden-"));
  try {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(join(folder, name, ".."), { recursive: true });
      writeFileSync(join(folder, name), typeof content === "string" ? content : JSON.stringify(content));
    }
    const run = spawnSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--conditions=source", SCRIPT, folder], {
      encoding: "utf8",
      env: { ...process.env, KN: "" },
    });
    return { status: run.status, lines: run.stdout.trim().split("\n"), error: run.stderr.replaceAll(folder, "DIR").trim() };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const recorded = (path: string): unknown => JSON.parse(readFileSync(join(GOLDEN, path), "utf8")) as unknown;
const scenario = (name: string): Record<string, unknown> => recorded(`serving/scenarios/${name}.json`) as Record<string, unknown>;
const requests = (file: string): { name: string; response: object }[] => recorded(`serving/validation/${file}.json`) as { name: string; response: object }[];
const request = (name: string): { name: string; response: object } =>
  requests("rejected").find((each) => each.name === name) as { name: string; response: object };

test("a folder of all formats: one line a scenario or case, and a count", () => {
  const { status, lines } = golden({
    "index.json": [{ name: "minimal-service" }],
    "scenarios/minimal-service.json": scenario("minimal-service"),
    "scenarios/kn-failing.json": scenario("kn-failing"),
    "validation/rejected.json": [request("no-name"), request("domain-group")],
    "breaker.json": { group: "breaker", cases: (recorded("autoscaler/breaker.json") as { cases: unknown[] }).cases.slice(0, 2) },
    "scrape-average.json": { group: "scrape-average", cases: [] },
  });
  assert.deepEqual(
    lines.map((line) => (line.startsWith("domain-group: differs: ") ? line.replace(/: \.code.* \(/, ": … (") : line)),
    [
      "breaker[0]: equal",
      "breaker[1]: equal",
      "scrape-average: skipped: nothing scrapes: gateways report every request",
      "kn-failing: skipped: needs kn",
      "minimal-service: equal",
      "no-name: equal",
      "domain-group: differs: … (expected: domains: DomainMapping)",
      "4 of 5 equal, 1 differ (1 of them expected), 2 skipped",
    ],
  );
  assert.equal(status, 0);
});

test("what differs unexpectedly is told with the first difference, and is the exit code", () => {
  const { status, lines } = golden({
    "one.json": { ...scenario("minimal-service"), name: "planted", trace: [[0, "Service", "hello", "Ready", "False", "Planted", ""]] },
    "two.json": [{ ...request("no-name"), name: "planted request", response: { ...request("no-name").response, code: 400 } }],
    "three.json": { group: "config-autoscaler", cases: [{ data: {}, parsed: { initialScale: 7 } }] },
  });
  assert.deepEqual(lines, [
    'planted: differs: trace Service hello Ready: got "True |  | ", want "False | Planted | "',
    'config-autoscaler[0]: differs: want {"initialScale":7} | got {"initialScale":1}',
    lines[2],
    "0 of 3 equal, 3 differ (0 of them expected), 0 skipped",
  ]);
  assert.match(lines[2] ?? "", /^planted request: differs: \.code: got 422 /);
  assert.equal(status, 1);
});

test("a folder without recordings, or with a broken file, is an error", () => {
  const empty = golden({ "index.json": [], "other.json": { a: 1 } });
  assert.equal(
    empty.error,
    "Error: DIR holds no recordings: expected scenarios (scenarios/*.json), requests (validation/*.json) or autoscaler groups (*.json)",
  );
  assert.equal(empty.status, 2);
  const broken = golden({ "scenarios/a.json": "{" });
  assert.equal(broken.error, "Error: DIR/scenarios/a.json is not JSON");
  assert.equal(broken.status, 2);
});
