// Defaults and checks of sources (eventing.md §1.12 to §1.15).
import { jsonSyntaxError, names, type KubeObject } from "#schema";
import type { PodTemplateSpec } from "../core/v1.types.ts";
import { destinationDefaults } from "../duck/destination.ts";
import { checkSource } from "../duck/source.ts";
import { rulesFor, type EventingContext, type EventingWebhook } from "../eventing/admission-context.ts";
import { checkFilters, filtersMisfit, typedFilters } from "../eventing/event-filter.ts";
import { eachOf, fieldError, invalidValue, missingField, missingOneOf, multipleOneOf, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { qualifiedNameComplaints } from "../names.ts";
import type { ApiServerSource, ApiServerSourceSpec } from "./api-server-source.ts";
import type { ContainerSource, ContainerSourceSpec } from "./container-source.ts";
import { cronText, scheduleComplaint, zoneComplaint } from "./cron.ts";
import type { PingSource, PingSourceSpec } from "./ping-source.ts";
import type { BindingSubject, SinkBinding, SinkBindingSpec } from "./sink-binding.ts";

/** Sinks of sources may be in any namespace. */
function sinkRules(source: KubeObject, context: EventingContext): { readonly groupAllowed: boolean } {
  return { groupAllowed: rulesFor(source, context).groupAllowed };
}

function checkSchedule({ schedule = "", timezone }: PingSourceSpec): FieldErrors {
  const every = schedule.includes("@every") ? invalidValue("unsupported descriptor @every", "schedule") : noErrors;
  const text = cronText(schedule, timezone);
  const zone = zoneComplaint(text.timezone);
  if (zone !== undefined) return every.also(invalidValue(zone, "timezone"));
  const complaint = scheduleComplaint(text.schedule);
  return complaint === undefined ? every : every.also(invalidValue(complaint, "schedule"));
}

/** Only an object will do; a `null` is one to Go. */
function jsonComplaint(text: string): string | undefined {
  const syntax = jsonSyntaxError(text);
  if (syntax !== undefined) return syntax;
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && !Array.isArray(value)) return undefined;
  const found = Array.isArray(value) ? "array" : typeof value === "boolean" ? "bool" : typeof value;
  return `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`;
}

/** Where base64 goes wrong; line ends do not count as its characters. */
function base64Complaint(text: string): string | undefined {
  const wrong = /[^A-Za-z0-9+/=\r\n]|=(?![=\r\n]*$)/.exec(text);
  if (wrong !== null) return `illegal base64 data at input byte ${wrong.index}`;
  const { length } = text.replaceAll(/[\r\n]/g, "");
  const padding = /={0,3}[\r\n]*$/.exec(text)?.[0].replaceAll(/[\r\n]/g, "").length ?? 0;
  if (length % 4 === 0 && padding <= 2) return undefined;
  return `illegal base64 data at input byte ${length - (length % 4)}`;
}

function checkData(spec: PingSourceSpec, { config }: EventingContext): FieldErrors {
  const { data = "", dataBase64 = "", contentType } = spec;
  if (data !== "" && dataBase64 !== "") return multipleOneOf("data", "dataBase64");
  const field = dataBase64 === "" ? "data" : "dataBase64";
  const text = dataBase64 === "" ? data : dataBase64;
  if (text === "") return noErrors;
  const bytes = Buffer.byteLength(text);
  const limit = config.ping.dataMaxBytes;
  const tooLong = limit !== undefined && bytes > limit ? invalidValue(`the ${field} length of ${bytes} bytes exceeds limit set at ${limit}.`, field) : noErrors;
  const encoding = field === "data" ? undefined : base64Complaint(text);
  const decoded = field === "data" ? text : Buffer.from(text, "base64").toString();
  const complaint = encoding ?? (contentType === "application/json" ? jsonComplaint(decoded) : undefined);
  return complaint === undefined ? tooLong : tooLong.also(invalidValue(complaint, field));
}

export const pingSourceWebhook: EventingWebhook<PingSource> = {
  defaults: (source) => ((source.spec.schedule ?? "") === "" ? { ...source, spec: { ...source.spec, schedule: "* * * * *" } } : source),
  validate: (source, _old, context) =>
    checkSchedule(source.spec)
      .also(checkData(source.spec, context), checkSource(source.spec, sinkRules(source, context)))
      .viaField("spec"),
};

const isGroupVersion = (text: string): boolean => text.split("/").length <= 2;

function checkType({ apiVersion = "", kind = "" }: { readonly apiVersion?: string; readonly kind?: string }): FieldErrors {
  return (isGroupVersion(apiVersion) ? noErrors : invalidValue(apiVersion, "apiVersion")).also(kind.trim() === "" ? missingField("kind") : noErrors);
}

function checkApiFilters(filters: ApiServerSourceSpec["filters"], { config }: EventingContext): FieldErrors {
  if ((filters ?? []).length === 0) return noErrors;
  if (config.features.newApiServerFilters === "Enabled") return checkFilters(filters as Parameters<typeof checkFilters>[0]).viaField("filters");
  return fieldError("Filters is not empty but the NewAPIServerFilters feature is disabled.", []);
}

export const apiServerSourceWebhook: EventingWebhook<ApiServerSource> = {
  misfit: ({ spec }) => filtersMisfit((spec as ApiServerSourceSpec | undefined)?.filters),
  defaults(source) {
    const { mode = "", serviceAccountName = "", filters } = source.spec;
    return {
      ...source,
      spec: {
        ...source.spec,
        mode: mode === "" ? "Reference" : mode,
        serviceAccountName: serviceAccountName === "" ? "default" : serviceAccountName,
        ...(filters === undefined ? {} : { filters: typedFilters(filters) as NonNullable<ApiServerSourceSpec["filters"]> }),
      },
    };
  },
  validate(source, _old, context) {
    const { mode = "", resources, owner, filters } = source.spec;
    return (mode === "Reference" || mode === "Resource" ? noErrors : invalidValue(mode, "mode"))
      .also(
        resources.length === 0 ? missingField("resources") : eachOf(resources, checkType).viaField("resources"),
        owner === undefined ? noErrors : checkType(owner).viaField("owner"),
        checkSource(source.spec, sinkRules(source, context)),
        checkApiFilters(filters, context),
      )
      .viaField("spec");
  },
};

type Containers = readonly { readonly name?: string; readonly image?: string; readonly resources?: object }[];

const containersOf = (spec: Partial<ContainerSourceSpec> | undefined): unknown =>
  (spec?.template as { spec?: { containers?: unknown } } | undefined)?.spec?.containers;

/** The template is open in the schema; what the checks read must be what it is taken for. */
function templateMisfit({ spec }: ContainerSource): string | undefined {
  const containers = containersOf(spec);
  const type = "json: cannot unmarshal";
  if (containers === undefined || containers === null) return undefined;
  if (!Array.isArray(containers)) return `${type} ${typeof containers} into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container`;
  const wrong = (containers as unknown[]).find((each) => typeof each !== "object" || each === null || Array.isArray(each));
  return wrong === undefined ? undefined : `${type} ${typeof wrong} into Go struct field PodSpec.spec.template.spec.containers of type v1.Container`;
}

export const containerSourceWebhook: EventingWebhook<ContainerSource> = {
  misfit: templateMisfit,
  defaults(source) {
    const { template = {} } = source.spec as { readonly template?: { readonly metadata?: object; readonly spec?: object } };
    const given = (containersOf(source.spec) ?? []) as Containers;
    const containers = given.map((each, index) => {
      const { name = "", resources = {} } = each;
      return { ...each, name: name === "" ? `${source.metadata.name}-${index}` : name, resources };
    });
    const filled = { ...template, metadata: template.metadata ?? {}, spec: { ...template.spec, containers } };
    return { ...source, spec: { ...source.spec, template: filled as unknown as PodTemplateSpec } };
  },
  validate(source, _old, context) {
    const containers = containersOf(source.spec) as Containers;
    const inContainers = eachOf(containers, ({ name = "", image = "" }) =>
      (name === "" ? missingField("name") : noErrors).also(image === "" ? missingField("image") : noErrors),
    );
    return (containers.length === 0 ? missingField("containers") : inContainers.viaField("containers"))
      .also(checkSource(source.spec, sinkRules(source, context)))
      .viaField("spec");
  },
};

const C_IDENTIFIER =
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName', regex used for validation is '[A-Za-z_][A-Za-z0-9_]*')";
const identifierComplaints = (text: string): string[] => (/^[A-Za-z_]\w*$/.test(text) ? [] : [C_IDENTIFIER]);

function checkPart(value: string | undefined, field: string, complaintsOf: (text: string) => string[]): FieldErrors {
  if (value === undefined || value === "") return missingField(field);
  const complaints = complaintsOf(value);
  return complaints.length === 0 ? noErrors : invalidValue(complaints.join(", "), field);
}

function checkSubject({ apiVersion, kind, namespace, name = "", selector }: BindingSubject): FieldErrors {
  let which = noErrors;
  if (selector !== undefined && name !== "") which = multipleOneOf("selector", "name");
  else if (selector === undefined) which = name === "" ? missingOneOf("selector", "name") : checkPart(name, "name", names.dnsLabel);
  return checkPart(apiVersion, "apiVersion", qualifiedNameComplaints).also(
    checkPart(kind, "kind", identifierComplaints),
    checkPart(namespace, "namespace", names.dnsLabel),
    which,
  );
}

export const sinkBindingWebhook: EventingWebhook<SinkBinding> = {
  defaults(binding) {
    const own = binding.metadata.namespace ?? "";
    const { sink = {}, subject = {}, ...spec } = binding.spec as Partial<SinkBindingSpec>;
    const inside = (subject.namespace ?? "") === "" ? { ...subject, namespace: own } : subject;
    return { ...binding, spec: { ...spec, sink: destinationDefaults(sink, own), subject: inside } };
  },
  validate(binding, _old, context) {
    const { subject } = binding.spec;
    const elsewhere = (subject.namespace ?? "") !== "" && subject.namespace !== binding.metadata.namespace;
    return checkSubject(subject)
      .viaField("subject")
      .also(checkSource(binding.spec, sinkRules(binding, context)), elsewhere ? invalidValue(subject.namespace ?? "", "subject.namespace") : noErrors)
      .viaField("spec");
  },
};
