// The settings of knative-serving as they are now: parsed from the ConfigMaps on each change, the last good ones kept.
import type { InformerSet } from "#client";
import type { Logger } from "#core";
import { ConfigMap, parseServingConfig, SYSTEM_NAMESPACE, type ConfigData, type ServingConfig } from "#kinds";

export interface Settings {
  /** Resolves once the ConfigMaps have been read for the first time. */
  readonly synced: Promise<void>;
  /** What is in force; before the first list Knative's defaults. */
  current(): ServingConfig;
  /** Called after each change that took effect. */
  onChange(listener: () => void): void;
}

interface Kept {
  readonly name: string;
  readonly data: ConfigData;
}

/** Follows the ConfigMaps. A value that cannot be read keeps its member as it was, and is logged. */
export function followSettings(options: { readonly informers: InformerSet; readonly logger: Logger; readonly namespace?: string }): Settings {
  const { namespace = SYSTEM_NAMESPACE } = options;
  const maps = options.informers.of(ConfigMap, "settings", ({ metadata, data }): Kept | undefined =>
    metadata.namespace === namespace ? { name: metadata.name, data: data ?? {} } : undefined,
  );
  const listeners: (() => void)[] = [];
  const parse = (last: ServingConfig | undefined): ServingConfig => {
    const { config, errors } = parseServingConfig(Object.fromEntries(maps.list(namespace).map(({ name, data }) => [name, data])), last);
    for (const [name, error] of Object.entries(errors))
      options.logger.warn("settings are refused, the last good ones stay", { configMap: name, reason: error });
    return config;
  };
  let current = parse(undefined);
  maps.onChange(() => {
    current = parse(current);
    for (const listener of listeners) listener();
  });
  return { synced: maps.synced, current: () => current, onChange: (listener) => void listeners.push(listener) };
}
