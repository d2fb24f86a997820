// Every creation in the recorded scenarios, under the settings of its moment: the recorded answer, spec and warnings.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isReason } from "#core";
import { applyMergePatch, compileKind, type CompiledKind, type Kind, type KubeObject } from "#schema";
import {
  Certificate,
  Configuration,
  defaultConfigMaps,
  Ingress,
  knativeAdmission,
  Metric,
  parseServingConfig,
  PodAutoscaler,
  Revision,
  Route,
  ServerlessService,
  Service,
} from "#kinds";

interface Step {
  readonly op: string;
  readonly name: string;
  readonly request?: { readonly path: string; readonly body: Record<string, unknown> };
  readonly response?: { readonly code: number; readonly body: Record<string, unknown>; readonly warnings?: readonly string[] };
  readonly objects?: readonly (KubeObject & { readonly spec?: unknown })[];
}
type Maps = Record<string, Record<string, string>>;

const folder = join(import.meta.dirname, "serving/scenarios");
const KINDS = [Service, Configuration, Revision, Route, PodAutoscaler, Metric, Ingress, ServerlessService, Certificate] as unknown as Kind[];
const byResource = new Map<string, CompiledKind>(KINDS.map((kind) => [`${kind.group}/${kind.plural}`, compileKind(kind)]));
const byKind = new Map<string, CompiledKind>(
  [...byResource.values()].map((compiled) => [`${compiled.kind.group}/${compiled.kind.version} ${compiled.kind.kind}`, compiled]),
);

function kindOf(path: string): CompiledKind | undefined {
  const [, group = "", plural = ""] = /^\/apis\/([^/]+)\/[^/]+\/namespaces\/[^/]+\/([^?/]+)/.exec(path) ?? [];
  return byResource.get(`${group}/${plural}`);
}

async function answer(kind: CompiledKind, body: unknown, maps: Maps): Promise<unknown> {
  try {
    const draft = kind.applyDefaults(kind.decode(body, { fieldValidation: "Strict" }).object);
    const object = { ...draft, metadata: { ...draft.metadata, name: draft.metadata.name ?? `${draft.metadata.generateName ?? ""}x7x7x` } };
    const admit = knativeAdmission(kind.kind, { config: () => parseServingConfig(maps).config, tryTemplate: () => Promise.resolve() });
    const user = { name: "kubernetes-admin", groups: [] };
    const admitted = await admit({ operation: "CREATE", subresource: "", user, dryRun: false, object, old: undefined });
    return { code: 201, spec: (admitted.object as { spec?: unknown }).spec, warnings: admitted.warnings.map((text) => `299 - ${JSON.stringify(text)}`) };
  } catch (error) {
    if (!isReason(error, "BadRequest")) throw error;
    return { code: 400, message: error.message };
  }
}

function configured(maps: Maps, { request }: Step): void {
  const name = request?.path.split("?")[0]?.split("/").at(-1) ?? "";
  const { data } = applyMergePatch({ data: maps[name] ?? {} }, request?.body ?? {}) as { data: Record<string, string> };
  maps[name] = data;
}

const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
test("there are scenarios to compare with", () => assert.ok(files.length > 50));

for (const file of files) {
  const { steps } = JSON.parse(readFileSync(join(folder, file), "utf8").replaceAll("<time>", "2026-01-01T00:00:00Z")) as { steps: Step[] };
  test(`${file}: creations get the recorded answers`, async () => {
    const maps: Maps = Object.fromEntries(
      defaultConfigMaps({ domain: "example.com", version: "1.23.0" }).map((map) => [map.metadata.name ?? "", { ...map.data }]),
    );
    for (const step of steps) {
      if (step.op === "config") configured(maps, step);
      const { request, response } = step;
      const kind = step.op === "create" && request !== undefined ? kindOf(request.path) : undefined;
      if (kind === undefined || request === undefined || response === undefined) continue;
      const { code, body, warnings = [] } = response;
      assert.deepEqual(
        await answer(kind, request.body, maps),
        code === 201 ? { code, spec: body["spec"], warnings } : { code, message: body["message"] },
        step.name,
      );
    }
  });
  test(`${file}: what was stored is within the schema`, () => {
    for (const object of steps.flatMap(({ objects = [] }) => objects)) {
      const kind = byKind.get(`${object.apiVersion} ${object.kind}`);
      if (kind === undefined || object.spec === undefined) continue;
      const decoded = kind.decode(object, { fieldValidation: "Ignore" }).object as typeof object;
      assert.deepEqual(decoded.spec, object.spec);
    }
  });
}
