// config-defaults: what a Revision gets when its author says nothing (serving.md §7).
import { parseGoTemplate, renderGoTemplate, type GoTemplate, type TemplateValues } from "./go-template.ts";
import { ConfigReader, resultOf, type ConfigData, type ConfigError } from "./reader.ts";

export interface DefaultsConfig {
  readonly revisionTimeoutSeconds: number;
  readonly maxRevisionTimeoutSeconds: number;
  readonly revisionResponseStartTimeoutSeconds: number;
  readonly revisionIdleTimeoutSeconds: number;
  /** Quantities by resource name (`cpu`, `memory`, `ephemeral-storage`); absent where unset. */
  readonly revisionRequests: Readonly<Record<string, string>>;
  readonly revisionLimits: Readonly<Record<string, string>>;
  readonly containerNameTemplate: GoTemplate;
  readonly initContainerNameTemplate: GoTemplate;
  readonly containerConcurrency: number;
  readonly containerConcurrencyMaxLimit: number;
  readonly allowContainerConcurrencyZero: boolean;
  /** Undefined leaves the field unset (`default`). */
  readonly enableServiceLinks: boolean | undefined;
}

const RESOURCES = ["cpu", "memory", "ephemeral-storage"] as const;

/** What a container name template may name: the metadata of the object that it is rendered for. */
export interface NamedObject {
  readonly name?: string | undefined;
  readonly generateName?: string | undefined;
  readonly namespace?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

function templateValues(object: NamedObject): TemplateValues {
  const { name = "", generateName = "", namespace = "", labels = {}, annotations = {} } = object;
  return { Name: name, GenerateName: generateName, Namespace: namespace, Labels: labels, Annotations: annotations, UID: "", ResourceVersion: "" };
}

/** The default name of a container of `object`; templates were checked when the setting was read. */
export function containerNameFor(template: GoTemplate, object: NamedObject): string {
  const rendered = renderGoTemplate(template, templateValues(object), "v1.ObjectMeta");
  return "text" in rendered ? rendered.text : "";
}

function nameTemplate(reader: ConfigReader, key: string, fallback: string): GoTemplate {
  const parsed = parseGoTemplate("container-template", reader.text(key, fallback));
  if ("error" in parsed) {
    reader.fail(parsed.error);
    return { name: "container-template", parts: [fallback] };
  }
  const tried = renderGoTemplate(parsed, templateValues({}), "v1.ObjectMeta");
  if ("error" in tried) reader.fail(`error executing template: ${tried.error}`);
  return parsed;
}

function quantities(reader: ConfigReader, word: "request" | "limit"): Record<string, string> {
  const found = RESOURCES.map((name) => [name, reader.quantity(`revision-${name}-${word}`)] as const);
  return Object.fromEntries(found.filter((entry): entry is [(typeof RESOURCES)[number], string] => entry[1] !== undefined));
}

function check(config: DefaultsConfig, reader: ConfigReader): void {
  const {
    revisionTimeoutSeconds: timeout,
    maxRevisionTimeoutSeconds: max,
    revisionResponseStartTimeoutSeconds: start,
    revisionIdleTimeoutSeconds: idle,
  } = config;
  reader.check(timeout <= max, `revision-timeout-seconds (${timeout}) cannot be greater than max-revision-timeout-seconds (${max})`);
  reader.check(
    start <= 0 || start <= timeout,
    `revision-response-start-timeout-seconds (${start}) cannot be greater than revision-timeout-seconds (${timeout})`,
  );
  reader.check(idle <= 0 || idle <= timeout, `revision-idle-timeout-seconds (${idle}) cannot be greater than revision-timeout-seconds (${timeout})`);
  const { containerConcurrency: concurrency, containerConcurrencyMaxLimit: limit, allowContainerConcurrencyZero: zero } = config;
  reader.check(limit >= 1, `expected 1 <= ${limit} <= 2147483647: container-concurrency-max-limit`);
  const least = zero ? 0 : 1;
  reader.check(concurrency >= least && concurrency <= limit, `expected ${least} <= ${concurrency} <= ${limit}: container-concurrency`);
}

/** Settings from the data of `config-defaults`; the error is the webhook's text. */
export function parseDefaultsConfig(data: ConfigData): DefaultsConfig | ConfigError {
  const reader = new ConfigReader(data);
  const revisionTimeoutSeconds = reader.integer("revision-timeout-seconds", 300);
  const links = (data["enable-service-links"] ?? "false").toLowerCase();
  const config: DefaultsConfig = {
    revisionTimeoutSeconds,
    maxRevisionTimeoutSeconds: reader.integer("max-revision-timeout-seconds", 600),
    revisionResponseStartTimeoutSeconds: reader.integer("revision-response-start-timeout-seconds", revisionTimeoutSeconds),
    revisionIdleTimeoutSeconds: reader.integer("revision-idle-timeout-seconds", 0),
    allowContainerConcurrencyZero: reader.boolean("allow-container-concurrency-zero", true),
    containerConcurrency: reader.integer("container-concurrency", 0),
    containerConcurrencyMaxLimit: reader.integer("container-concurrency-max-limit", 1000),
    revisionRequests: quantities(reader, "request"),
    revisionLimits: quantities(reader, "limit"),
    enableServiceLinks: links === "true" ? true : links === "default" ? undefined : false,
    containerNameTemplate: nameTemplate(reader, "container-name-template", "user-container"),
    initContainerNameTemplate: nameTemplate(reader, "init-container-name-template", "init-container"),
  };
  check(config, reader);
  return resultOf(reader, config);
}
