// What the webhook of Knative's ConfigMaps answers (serving.md §1.3).
import { badRequest, StatusError } from "#core";
import type { AdmissionRequest, Admitted } from "#schema";
import { denied } from "../denied.ts";
import { EXAMPLE_CHECKSUM, EXAMPLE_KEY, exampleChecksum, type ConfigMapObject } from "./default-config-maps.ts";
import type { ConfigData } from "./reader.ts";
import { configMapNameOf, PARSERS, type ServingConfig } from "./serving-config.ts";

const COMPONENTS = ["autoscaler", "controller", "logging", "networking", "observability", "tracing", "net-certmanager"];

const EXAMPLE_EDITED =
  'the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"';

/** The webhook's name. */
export const CONFIG_VALIDATION = "config.webhook.serving.knative.dev";
/** Selects the ConfigMaps that the webhook guards. */
export const GUARDED = { name: "knative-serving", components: COMPONENTS } as const;

/** Our own maps need no labels: nobody but us reads them. */
function isGuarded(object: ConfigMapObject): boolean {
  const { name, namespace, labels = {} } = object.metadata;
  if ((name === configMapNameOf("eiderGateway") || name === configMapNameOf("eiderImages")) && namespace === "knative-serving") return true;
  return labels["app.kubernetes.io/name"] === GUARDED.name && GUARDED.components.includes(labels["app.kubernetes.io/component"] ?? "");
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

/** Refuses settings that cannot be read, in ConfigMaps that Knative's webhook guards; all others pass. */
export function checkConfigMap({ object, operation }: AdmissionRequest<ConfigMapObject>): void {
  if (operation === "DELETE" || !isGuarded(object)) return;
  const complaint = complaintAbout(object.metadata.name, object.data ?? {}, object.metadata.annotations?.[EXAMPLE_CHECKSUM]);
  if (complaint !== undefined) throw badRequest(`validation failed: ${complaint}`);
}

/** An `Admit` for core/v1 ConfigMaps. */
export function configMapAdmission(request: AdmissionRequest<ConfigMapObject>): Admitted<ConfigMapObject> {
  try {
    checkConfigMap(request);
  } catch (error) {
    throw error instanceof StatusError ? denied(CONFIG_VALIDATION, error) : error;
  }
  return { object: request.object, warnings: [] };
}
