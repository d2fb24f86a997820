// What the webhook of Knative's ConfigMaps answers (serving.md §1.3).
import { badRequest } from "#core";
import type { AdmissionRequest, Admitted } from "#schema";
import { EXAMPLE_CHECKSUM, EXAMPLE_KEY, exampleChecksum, type ConfigMapObject } from "./default-config-maps.ts";
import type { ConfigData } from "./reader.ts";
import { configMapNameOf, PARSERS, type ServingConfig } from "./serving-config.ts";

const COMPONENTS = ["autoscaler", "controller", "logging", "networking", "observability", "tracing", "net-certmanager"];

const EXAMPLE_EDITED =
  'the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"';

const DENIED = 'admission webhook "config.webhook.serving.knative.dev" denied the request: validation failed: ';

function isGuarded(object: ConfigMapObject): boolean {
  const labels = object.metadata.labels ?? {};
  return labels["app.kubernetes.io/name"] === "knative-serving" && COMPONENTS.includes(labels["app.kubernetes.io/component"] ?? "");
}

function complaintAbout(name: string, data: ConfigData, checksum: string | undefined): string | undefined {
  const example = data[EXAMPLE_KEY];
  if (example !== undefined && checksum !== undefined && checksum !== exampleChecksum(example)) return EXAMPLE_EDITED;
  const member = (Object.keys(PARSERS) as (keyof ServingConfig)[]).find((key) => configMapNameOf(key) === name);
  if (member === undefined) return undefined;
  const { [EXAMPLE_KEY]: _, ...settings } = data;
  const parsed = PARSERS[member](settings);
  return "error" in parsed ? parsed.error : undefined;
}

/** An `Admit` for core/v1 ConfigMaps: those that Knative's webhook guards must parse; all others pass. */
export function configMapAdmission(request: AdmissionRequest<ConfigMapObject>): Admitted<ConfigMapObject> {
  const { object, operation } = request;
  if (operation !== "DELETE" && isGuarded(object)) {
    const complaint = complaintAbout(object.metadata.name, object.data ?? {}, object.metadata.annotations?.[EXAMPLE_CHECKSUM]);
    if (complaint !== undefined) throw badRequest(DENIED + complaint);
  }
  return { object, warnings: [] };
}
