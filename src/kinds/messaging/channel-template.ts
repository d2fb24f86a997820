// The channel that a Channel or a flow gets: its default and its checks (eventing.md §1.7, §4.5).
import { channelTemplateFor } from "../eventing-config/channel-defaults.ts";
import type { EventingContext } from "../eventing/admission-context.ts";
import { missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";
import type { ChannelTemplate } from "./channel.ts";

/** The spec with the template that the settings name for its namespace, where it has none. */
export function withTemplate<S extends { readonly channelTemplate?: ChannelTemplate }>(spec: S, namespace: string, { config }: EventingContext): S {
  if (spec.channelTemplate !== undefined) return spec;
  const channelTemplate = channelTemplateFor(config.channelDefaults, namespace);
  return channelTemplate === undefined ? spec : { ...spec, channelTemplate };
}

/** Errors at the spec. */
export function checkTemplate({ channelTemplate }: { readonly channelTemplate?: ChannelTemplate }): FieldErrors {
  if (channelTemplate === undefined) return missingField("channelTemplate");
  const missing = (["kind", "apiVersion"] as const).filter((key) => (channelTemplate[key] ?? "") === "");
  return noErrors.also(...missing.map((key) => missingField(key))).viaField("channelTemplate");
}
