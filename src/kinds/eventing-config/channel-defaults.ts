// default-ch-webhook: the kind of channel that Channels and flows get (eventing.md §4.5).
import type { ConfigData, ConfigError } from "../config/reader.ts";
import { isRecord, mapUnder, membersOf } from "./yaml-map.ts";

/** A kind of channel, and its spec. */
export interface DefaultChannel {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly spec?: Record<string, unknown>;
}

export interface ChannelDefaults {
  readonly clusterDefault?: DefaultChannel;
  readonly namespaceDefaults?: Readonly<Record<string, DefaultChannel>>;
}

const KEY = "default-ch-config";

/** What Knative ships. */
export const SHIPPED_CHANNEL_DEFAULTS = "clusterDefault:\n  apiVersion: messaging.knative.dev/v1\n  kind: InMemoryChannel\n";

/** Only what has the right form counts: defaults end up in objects. */
function channelOf(value: unknown): DefaultChannel | undefined {
  if (!isRecord(value)) return undefined;
  const { apiVersion, kind, spec } = value;
  return {
    ...(typeof apiVersion === "string" ? { apiVersion } : {}),
    ...(typeof kind === "string" ? { kind } : {}),
    ...(isRecord(spec) ? { spec } : {}),
  };
}

/** Settings from the data of `default-ch-webhook`. */
export function parseChannelDefaults(data: ConfigData): ChannelDefaults | ConfigError {
  const value = mapUnder(data, KEY);
  if ("error" in value) return value;
  const cluster = channelOf(value.map["clusterDefault"]);
  const namespaces = membersOf(value.map["namespaceDefaults"], channelOf);
  return { ...(cluster === undefined ? {} : { clusterDefault: cluster }), ...(namespaces === undefined ? {} : { namespaceDefaults: namespaces }) };
}

/** The channel for this namespace. */
export function channelTemplateFor({ clusterDefault, namespaceDefaults = {} }: ChannelDefaults, namespace: string): DefaultChannel | undefined {
  return namespaceDefaults[namespace] ?? clusterDefault;
}
