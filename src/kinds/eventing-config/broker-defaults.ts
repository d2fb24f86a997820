// config-br-defaults: the class, the settings and the delivery of Brokers that say nothing (eventing.md §4.5).
import type { ConfigData, ConfigError } from "../config/reader.ts";
import type { DeliverySpec } from "../duck/delivery.ts";
import type { KReference } from "../duck/reference.ts";
import { isRecord, mapUnder, membersOf } from "./yaml-map.ts";

/** What a Broker of one class gets. */
export interface BrokerClassDefaults extends KReference {
  readonly delivery?: DeliverySpec;
}

/** For the cluster or for one namespace. The members of `BrokerClassDefaults` are those of its default class. */
export interface BrokerScopeDefaults extends BrokerClassDefaults {
  readonly brokerClass?: string;
  readonly brokerClasses?: Readonly<Record<string, BrokerClassDefaults>>;
  readonly disallowDifferentNamespaceConfig?: boolean;
}

export interface BrokerDefaults {
  readonly clusterDefault?: BrokerScopeDefaults;
  readonly namespaceDefaults?: Readonly<Record<string, BrokerScopeDefaults>>;
}

const KEY = "default-br-config";

/** What Knative ships. */
export const SHIPPED_BROKER_DEFAULTS = `clusterDefault:
  brokerClass: MTChannelBasedBroker
  apiVersion: v1
  kind: ConfigMap
  name: config-br-default-channel
  namespace: knative-eventing
  delivery:
    retry: 10
    backoffPolicy: exponential
    backoffDelay: PT0.2S
`;

/** Only what has the right form counts: defaults end up in objects. */
function classOf(value: unknown): BrokerClassDefaults | undefined {
  if (!isRecord(value)) return undefined;
  const texts = (["apiVersion", "group", "kind", "name", "namespace"] as const).filter((key) => typeof value[key] === "string");
  const { delivery } = value;
  return { ...Object.fromEntries(texts.map((key) => [key, value[key]])), ...(isRecord(delivery) ? { delivery: delivery as DeliverySpec } : {}) };
}

function scopeOf(value: unknown): BrokerScopeDefaults | undefined {
  if (!isRecord(value)) return undefined;
  const { brokerClass, brokerClasses, disallowDifferentNamespaceConfig: disallow } = value;
  const classes = membersOf(brokerClasses, classOf);
  return {
    ...classOf(value),
    ...(typeof brokerClass === "string" ? { brokerClass } : {}),
    ...(classes === undefined ? {} : { brokerClasses: classes }),
    ...(typeof disallow === "boolean" ? { disallowDifferentNamespaceConfig: disallow } : {}),
  };
}

/** Settings from the data of `config-br-defaults`. */
export function parseBrokerDefaults(data: ConfigData): BrokerDefaults | ConfigError {
  const value = mapUnder(data, KEY);
  if ("error" in value) return value;
  const cluster = scopeOf(value.map["clusterDefault"]);
  const namespaces = membersOf(value.map["namespaceDefaults"], scopeOf);
  return { ...(cluster === undefined ? {} : { clusterDefault: cluster }), ...(namespaces === undefined ? {} : { namespaceDefaults: namespaces }) };
}

/** The class of Brokers that name none, in this namespace. */
export function brokerClassFor(defaults: BrokerDefaults, namespace: string): string | undefined {
  const { clusterDefault, namespaceDefaults = {} } = defaults;
  const names = [namespaceDefaults[namespace]?.brokerClass, clusterDefault?.brokerClass];
  return names.find((name) => name !== undefined && name !== "");
}

/** A scope that names no object and no delivery says nothing of its default class. */
function inline(scope: BrokerScopeDefaults | undefined): BrokerClassDefaults | undefined {
  if (scope === undefined) return undefined;
  const { brokerClass: _class, brokerClasses: _classes, disallowDifferentNamespaceConfig: _disallow, ...own } = scope;
  return Object.keys(own).length === 0 ? undefined : own;
}

/** What a Broker of this class gets: the namespace's word for the class, then the cluster's, then the cluster's for its own class. */
export function brokerDefaultsFor(defaults: BrokerDefaults, namespace: string, brokerClass: string): BrokerClassDefaults | undefined {
  const { clusterDefault: cluster, namespaceDefaults = {} } = defaults;
  const own = namespaceDefaults[namespace];
  const ofNamespace = own?.brokerClasses?.[brokerClass] ?? (own?.brokerClass === brokerClass ? inline(own) : undefined);
  return ofNamespace ?? cluster?.brokerClasses?.[brokerClass] ?? inline(cluster);
}

/** Whether Brokers of the namespace may have their settings in another one. */
export function mayConfigElsewhere({ clusterDefault, namespaceDefaults = {} }: BrokerDefaults, namespace: string): boolean {
  return namespaceDefaults[namespace]?.disallowDifferentNamespaceConfig !== true && clusterDefault?.disallowDifferentNamespaceConfig !== true;
}
