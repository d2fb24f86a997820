// What the webhook of Knative's ConfigMaps answers (serving.md §1.3).
import { badRequest, StatusError } from "#core";
import type { AdmissionRequest, Admitted } from "#schema";
import { denied } from "../denied.ts";
import { parseSugarConfig } from "../eventing-config/small-maps.ts";
import { EXAMPLE_CHECKSUM, EXAMPLE_KEY, exampleChecksum, type ConfigMapObject } from "./default-config-maps.ts";
import { parseLeaderElectionConfig, parseLoggingConfig } from "./leader-election.ts";
import { parseObservabilityConfig } from "./observability.ts";
import type { ConfigData, ConfigError } from "./reader.ts";
import { configMapNameOf, PARSERS, type ServingConfig } from "./serving-config.ts";

const COMPONENTS = ["autoscaler", "controller", "logging", "networking", "observability", "tracing", "net-certmanager"];

const EXAMPLE_EDITED =
  'the update modifies a key in "_example" which is probably not what you want. Instead, copy the respective setting to the top-level of the ConfigMap, directly below "data"';

/** The webhooks' names. */
export const CONFIG_VALIDATION = "config.webhook.serving.knative.dev";
const EVENTING_CONFIG_VALIDATION = "config.webhook.eventing.knative.dev";

/** What of Eventing is looked at as it is written; defaults of kinds are not, as in Knative: what cannot be read does not take effect. */
const GUARDED_EVENTING: Readonly<Record<string, Parse>> = {
  "config-leader-election": parseLeaderElectionConfig,
  "config-logging": parseLoggingConfig,
  "config-observability": parseObservabilityConfig,
  "config-sugar": parseSugarConfig,
};

/** Selects the ConfigMaps that the webhook guards. */
export const GUARDED = { name: "knative-serving", components: COMPONENTS } as const;

/** Our own maps need no labels: nobody but us reads them. */
function isGuarded(object: ConfigMapObject): boolean {
  const { name, namespace, labels = {} } = object.metadata;
  if ((name === configMapNameOf("eiderGateway") || name === configMapNameOf("eiderImages")) && namespace === "knative-serving") return true;
  return labels["app.kubernetes.io/name"] === GUARDED.name && GUARDED.components.includes(labels["app.kubernetes.io/component"] ?? "");
}

/** Of a map of settings; undefined when it can be read. */
type Parse = (data: ConfigData) => object | ConfigError;

function servingParser(name: string): Parse | undefined {
  const member = (Object.keys(PARSERS) as (keyof ServingConfig)[]).find((key) => configMapNameOf(key) === name);
  return member === undefined ? undefined : PARSERS[member];
}

function complaintAbout({ metadata, data = {} }: ConfigMapObject, parse: Parse | undefined): string | undefined {
  const example = data[EXAMPLE_KEY];
  const checksum = metadata.annotations?.[EXAMPLE_CHECKSUM];
  if (example !== undefined && checksum !== undefined && checksum !== exampleChecksum(example)) return EXAMPLE_EDITED;
  const { [EXAMPLE_KEY]: _, ...settings } = data;
  const parsed = parse?.(settings) ?? {};
  return "error" in parsed ? String(parsed.error) : undefined;
}

/** Refuses settings that cannot be read, in ConfigMaps that the webhook of Knative Serving guards; all others pass. */
export function checkConfigMap({ object, operation }: AdmissionRequest<ConfigMapObject>): void {
  if (operation === "DELETE" || !isGuarded(object)) return;
  const complaint = complaintAbout(object, servingParser(object.metadata.name));
  if (complaint !== undefined) throw badRequest(`validation failed: ${complaint}`);
}

/** As above for Knative Eventing. */
function checkEventingConfigMap({ object, operation }: AdmissionRequest<ConfigMapObject>): void {
  if (operation === "DELETE" || object.metadata.labels?.["app.kubernetes.io/name"] !== "knative-eventing") return;
  const complaint = complaintAbout(object, GUARDED_EVENTING[object.metadata.name]);
  if (complaint !== undefined) throw badRequest(`validation failed: ${complaint}`);
}

/** An `Admit` for core/v1 ConfigMaps. */
export function configMapAdmission(request: AdmissionRequest<ConfigMapObject>): Admitted<ConfigMapObject> {
  const asked = (webhook: string, check: (of: AdmissionRequest<ConfigMapObject>) => void): void => {
    try {
      check(request);
    } catch (error) {
      throw error instanceof StatusError ? denied(webhook, error) : error;
    }
  };
  asked(CONFIG_VALIDATION, checkConfigMap);
  asked(EVENTING_CONFIG_VALIDATION, checkEventingConfigMap);
  return { object: request.object, warnings: [] };
}
