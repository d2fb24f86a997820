// The part of the settings that a Revision's children depend on.
import type { ServingConfig } from "#kinds";
import type { StringMap } from "../annotations.ts";

/** From config-autoscaler, config-defaults, config-deployment, config-features and config-observability (serving.md §7). */
export interface RevisionSettings {
  readonly initialScale: number;
  readonly podAutoscalerClass: string;
  readonly progressDeadlineMs: number;
  /** Registry hosts whose tags are used as they are. */
  readonly registriesSkippingTagResolving: ReadonlySet<string>;
  readonly digestResolutionTimeoutMs: number;
  readonly spreadOverNodes: boolean;
  readonly podIsAlwaysSchedulable: boolean;
  readonly enableServiceLinks: boolean | undefined;
  /** The runtime class for pods with these labels. */
  readonly runtimeClassName: (labels: StringMap) => string | undefined;
  readonly collectVarLog: boolean;
  /** Ports of liveness probes stay as given. */
  readonly multiContainerProbing: boolean;
  /** `logging.revision-url-template`; "" for none. */
  readonly revisionUrlTemplate: string;
}

/** The class whose selector has the most labels and matches; an empty selector is the default, ties go by name. */
function runtimeClassFor(classes: ServingConfig["deployment"]["runtimeClassNames"], labels: StringMap): string | undefined {
  const matching = Object.entries(classes)
    .map(([name, its]) => ({ name, selector: Object.entries(its?.selector ?? {}) }))
    .filter(({ selector }) => selector.every(([key, value]) => labels[key] === value))
    .sort((a, b) => b.selector.length - a.selector.length || (a.name < b.name ? -1 : 1));
  return matching[0]?.name;
}

export function revisionSettings({ autoscaler, defaults, deployment, features, observability }: ServingConfig): RevisionSettings {
  return {
    initialScale: autoscaler.initialScale,
    podAutoscalerClass: autoscaler.podAutoscalerClass,
    progressDeadlineMs: deployment.progressDeadlineMs,
    registriesSkippingTagResolving: new Set(deployment.registriesSkippingTagResolving),
    digestResolutionTimeoutMs: deployment.digestResolutionTimeoutMs,
    spreadOverNodes: deployment.defaultAffinityType === "prefer-spread-revision-over-nodes",
    podIsAlwaysSchedulable: deployment.podIsAlwaysSchedulable,
    enableServiceLinks: defaults.enableServiceLinks,
    runtimeClassName: (labels) => runtimeClassFor(deployment.runtimeClassNames, labels),
    collectVarLog: observability.enableVarLogCollection,
    multiContainerProbing: features.multiContainerProbing === "Enabled",
    revisionUrlTemplate: observability.revisionUrlTemplate,
  };
}
