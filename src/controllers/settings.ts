// The settings of Knative's namespaces as they are now: parsed from the ConfigMaps on each change, the last good ones kept.
import type { InformerSet } from "#client";
import type { Logger } from "#core";
import {
  ConfigMap,
  EVENTING_NAMESPACE,
  parseEventingConfig,
  parseServingConfig,
  SYSTEM_NAMESPACE,
  type ConfigData,
  type EventingConfig,
  type ServingConfig,
} from "#kinds";

/** Settings that follow their ConfigMaps. */
export interface Followed<C> {
  /** Resolves once the ConfigMaps have been read for the first time. */
  readonly synced: Promise<void>;
  /** What is in force; before the first list Knative's defaults. */
  current(): C;
  /** Called after each change that took effect. */
  onChange(listener: () => void): void;
}

/** The settings of Serving. */
export type Settings = Followed<ServingConfig>;
/** The settings of Eventing. */
export type EventingSettings = Followed<EventingConfig>;

interface Kept {
  readonly name: string;
  readonly data: ConfigData;
}

interface Sources {
  readonly informers: InformerSet;
  readonly logger: Logger;
}

/** The settings of a namespace, by the parser of its ConfigMaps. */
type Parse<C> = (maps: Readonly<Record<string, ConfigData>>, last: C | undefined) => { readonly config: C; readonly errors: Readonly<Record<string, string>> };

/** Follows the ConfigMaps. A value that cannot be read keeps its member as it was, and is logged. */
function follow<C>({ informers, logger }: Sources, of: { readonly namespace: string; readonly name: string; readonly parse: Parse<C> }): Followed<C> {
  const { namespace } = of;
  const maps = informers.of(ConfigMap, of.name, ({ metadata, data }): Kept | undefined =>
    metadata.namespace === namespace ? { name: metadata.name, data: data ?? {} } : undefined,
  );
  const listeners: (() => void)[] = [];
  const parse = (last: C | undefined): C => {
    const { config, errors } = of.parse(Object.fromEntries(maps.list(namespace).map(({ name, data }) => [name, data])), last);
    for (const [name, error] of Object.entries(errors)) logger.warn("settings are refused, the last good ones stay", { configMap: name, reason: error });
    return config;
  };
  let current = parse(undefined);
  maps.onChange(() => {
    current = parse(current);
    for (const listener of listeners) listener();
  });
  return { synced: maps.synced, current: () => current, onChange: (listener) => void listeners.push(listener) };
}

export function followSettings(options: Sources & { readonly namespace?: string }): Settings {
  return follow(options, { namespace: options.namespace ?? SYSTEM_NAMESPACE, name: "settings", parse: parseServingConfig });
}

export function followEventingSettings(options: Sources): EventingSettings {
  return follow(options, { namespace: EVENTING_NAMESPACE, name: "settings of eventing", parse: parseEventingConfig });
}
