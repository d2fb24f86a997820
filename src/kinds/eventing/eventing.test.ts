// Defaults and checks of Brokers, Triggers and channels that no recording shows: settings, filters, what is immutable.
import assert from "node:assert/strict";
import { test } from "node:test";
import { StatusError } from "#core";
import type { AdmissionRequest, Admit, Kind, KubeObject } from "#schema";
import { knativeAdmission } from "../admission.ts";
import type { AccessAuthority, AskedAccess } from "../authorization/reviews.ts";
import { parseEventingConfig } from "../eventing-config/eventing-config.ts";
import { Channel } from "../messaging/channel.ts";
import { InMemoryChannel } from "../messaging/in-memory-channel.ts";
import { Subscription } from "../messaging/subscription.ts";
import { defaultServingConfig } from "../config/serving-config.ts";
import { Broker } from "./broker.ts";
import { Trigger } from "./trigger.ts";

type Maps = Readonly<Record<string, Readonly<Record<string, string>>>>;

interface Asked {
  readonly spec: object;
  readonly old?: object;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly maps?: Maps;
  readonly user?: string;
  /** Answers whether a user may; nobody does where it is left out. */
  readonly refusal?: AccessAuthority["refusal"] | undefined;
}

/** The object that is admitted, or the text of the refusal behind the webhook's name. */
async function admit<O extends KubeObject>(kind: Kind<O>, { spec, old, annotations, maps = {}, user = "u", refusal }: Asked): Promise<O | string> {
  const { config } = parseEventingConfig(maps);
  const admission = knativeAdmission(kind, { config: defaultServingConfig, eventing: () => config, refusal, tryTemplate: async () => {} }) as Admit<O>;
  const objectOf = (of: object): O =>
    ({
      apiVersion: `${kind.group}/v1`,
      kind: kind.kind,
      metadata: { name: "x", namespace: "n", ...(annotations === undefined ? {} : { annotations }) },
      spec: of,
    }) as unknown as O;
  const request: AdmissionRequest<O> = {
    operation: old === undefined ? "CREATE" : "UPDATE",
    subresource: "",
    user: { name: user, groups: [] },
    dryRun: false,
    object: objectOf(spec),
    old: old === undefined ? undefined : objectOf(old),
  };
  try {
    return (await admission(request)).object;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return error.message.replace(/^.*denied the request: /, "");
  }
}

const SINK = { uri: "http://sink.example.com" };
const ONE_CLASS = `clusterDefault:
  brokerClass: A
  apiVersion: v1
  kind: ConfigMap
  name: cluster
  delivery: { retry: 1, timeout: PT1S }
  brokerClasses:
    B: { apiVersion: v1, kind: ConfigMap, name: of-b }
namespaceDefaults:
  n:
    brokerClass: C
    brokerClasses:
      C: { apiVersion: v1, kind: ConfigMap, name: of-c, namespace: elsewhere }
`;
const classes: Maps = { "config-br-defaults": { "default-br-config": ONE_CLASS } };

test("the class of a Broker says which settings and which delivery it gets", async () => {
  const rows: readonly (readonly [string | undefined, object, string])[] = [
    [undefined, { config: { apiVersion: "v1", kind: "ConfigMap", name: "of-c", namespace: "elsewhere" } }, "C"],
    ["B", { config: { apiVersion: "v1", kind: "ConfigMap", name: "of-b", namespace: "n" } }, "B"],
    ["Z", { config: { apiVersion: "v1", kind: "ConfigMap", name: "cluster", namespace: "n" }, delivery: { retry: 1 } }, "Z"],
  ];
  for (const [brokerClass, spec, found] of rows) {
    const annotations = brokerClass === undefined ? {} : { "eventing.knative.dev/broker.class": brokerClass };
    const broker = (await admit(Broker, { spec: {}, annotations, maps: classes })) as Broker;
    assert.deepEqual(broker.spec, spec);
    assert.equal(broker.metadata.annotations?.["eventing.knative.dev/broker.class"], found);
  }
});

test("settings of a Broker may be forbidden to be elsewhere; a map that cannot be read changes nothing", async () => {
  const config = { apiVersion: "v1", kind: "ConfigMap", name: "c", namespace: "other" };
  const strict: Maps = { "config-br-defaults": { "default-br-config": `${ONE_CLASS}    disallowDifferentNamespaceConfig: true\n` } };
  const details = 'parent namespace: "n" does not match ref: "other"';
  assert.equal(await admit(Broker, { spec: { config }, maps: strict }), `validation failed: mismatched namespaces: spec.config.namespace\n${details}`);
  assert.equal(typeof (await admit(Broker, { spec: { config }, maps: classes })), "object");
  const broken = parseEventingConfig({ "config-br-defaults": { "default-br-config": "[" }, "default-ch-webhook": {} });
  assert.deepEqual(Object.keys(broken.errors).sort(), ["config-br-defaults", "default-ch-webhook"]);
  assert.equal(broken.config.brokerDefaults.clusterDefault?.brokerClass, "MTChannelBasedBroker");
});

test("features allow fields of a delivery, or forbid them", async () => {
  const spec = { delivery: { retryAfterMax: "PT30S", timeout: "PT5S" } };
  const features = (data: Readonly<Record<string, string>>): Maps => ({ "config-features": data });
  assert.equal(typeof (await admit(Broker, { spec, maps: features({ "delivery-retryafter": "Enabled" }) })), "object");
  assert.equal(
    await admit(Broker, { spec, maps: features({ "delivery-timeout": "disabled" }) }),
    "validation failed: must not set the field(s): spec.delivery.retryAfterMax, spec.delivery.timeout",
  );
  assert.equal(await admit(Broker, { spec: { delivery: { timeout: "" } } }), "validation failed: invalid value: : spec.delivery.timeout");
});

test("filters: nested ones are cleaned and judged, errors are at their place", async () => {
  const trigger = (filters: unknown): Promise<Trigger | string> => admit(Trigger, { spec: { broker: "default", subscriber: SINK, filters } });
  const cleaned = (await trigger([{ all: [{ exact: {} }, { not: { prefix: { type: "a" } }, any: [] }] }])) as Trigger;
  assert.deepEqual(cleaned.spec.filters, [{ all: [{}, { not: { prefix: { type: "a" } } }] }]);
  const details = "Attribute name must start with a letter and can only contain lowercase alphanumeric";
  const deep = Array.from({ length: 40 }).reduce<object>((inner) => ({ not: inner }), {});
  const rows: readonly (readonly [unknown, string])[] = [
    [[{ exact: { Bad: "x" } }, { exact: { type: "a" } }], `validation failed: invalid key name "Bad": spec.filters[0].exact[Bad]\n${details}`],
    [[{ exact: { a: "x" }, cesql: "TRUE" }], "validation failed: multiple dialects found, filters can have only one dialect set: spec.filters[0]"],
    [[{ any: [{ suffix: { "9": "x" } }] }], `validation failed: invalid key name "9": spec.filters[0].any[0].suffix[9]\n${details}`],
    [[{ not: { regex: {} } }], 'mutation failed: cannot decode incoming new object: json: unknown field "regex"'],
    [
      [{ not: { exact: { a: 1 } } }],
      "mutation failed: cannot decode incoming new object: json: cannot unmarshal number into Go struct field SubscriptionsAPIFilter.exact of type string",
    ],
    [[deep], "mutation failed: cannot decode incoming new object: filters are nested more than 32 deep"],
  ];
  for (const [filters, text] of rows) assert.equal(await trigger(filters), text);
});

test("a Trigger stays at its Broker; the label follows it", async () => {
  const spec = { broker: "a", subscriber: SINK };
  assert.equal(
    await admit(Trigger, { spec: { ...spec, broker: "b" }, old: spec }),
    'validation failed: Immutable fields changed (-old +new): broker, spec\n{string}:\n\t-: "a"\n\t+: "b"\n',
  );
  const brokerRef = { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "far", namespace: "other" };
  const only = "only name, apiVersion and kind are supported fields when feature.CrossNamespaceEventLinks is disabled";
  assert.equal(await admit(Trigger, { spec: { brokerRef, subscriber: SINK } }), `validation failed: must not set the field(s): spec.namespace\n${only}`);
  const maps: Maps = { "config-features": { "cross-namespace-event-links": "enabled" } };
  const linked = (await admit(Trigger, { spec: { brokerRef, subscriber: SINK }, maps, refusal: async () => undefined })) as Trigger;
  assert.deepEqual(linked.metadata.labels, { "eventing.knative.dev/broker": "far" });
});

test("channels: the template comes from the settings, delivery stays, subscribers are the controllers' word", async () => {
  const maps: Maps = { "default-ch-webhook": { "default-ch-config": "namespaceDefaults:\n  n: { apiVersion: x/v1, kind: C, spec: { a: 1 } }\n" } };
  const channel = (await admit(Channel, { spec: {}, maps })) as Channel;
  assert.deepEqual(channel.spec, { channelTemplate: { apiVersion: "x/v1", kind: "C", spec: { a: 1 } } });
  const channelTemplate = { apiVersion: "x/v1", kind: "C" };
  assert.equal(
    await admit(Channel, { spec: { channelTemplate, delivery: { retry: 2 } }, old: { channelTemplate, delivery: { retry: 1 } } }),
    'validation failed: Immutable fields changed (-old +new): spec\n{v1.ChannelSpec}.ChannelableSpec.Delivery.Retry:\n\t-: "1"\n\t+: "2"\n',
  );
  const subscribers = [{ uid: "1", subscriberUri: "http://a" }];
  const knative = "system:serviceaccount:knative-eventing:eventing-controller";
  assert.match(
    JSON.stringify(await admit(InMemoryChannel, { spec: { subscribers }, old: {} })),
    /^"validation failed: Channel\.Spec\.Subscribers changed by user u which was not the system:serviceaccount:knative-eventing:eventing-controller service account: spec\.subscribers\\n/,
  );
  assert.equal(typeof (await admit(InMemoryChannel, { spec: { subscribers }, old: {}, user: knative })), "object");
  assert.equal(
    await admit(InMemoryChannel, { spec: { subscribers: [{ uid: "1" }] }, annotations: { "eventing.knative.dev/scope": "galaxy" } }),
    "validation failed: invalid value: galaxy: metadata.annotations[eventing.knative.dev/scope]\nexpected either 'cluster' or 'namespace'\n" +
      "missing field(s): spec.subscribable.subscriber[0].replyURI, spec.subscribable.subscriber[0].subscriberURI\nexpected at least one of, got none",
  );
});

test("a link into another namespace is for whoever may subscribe there; in the own one, and with the feature off, nobody is asked", async () => {
  const maps = { "config-features": { "cross-namespace-event-links": "enabled" } };
  const asked: AskedAccess[] = [];
  const refusal = async (user: { readonly name: string }, wants: AskedAccess): Promise<string | undefined> => {
    asked.push(wants);
    return user.name === "may" ? undefined : "";
  };
  const brokerRef = (namespace?: string) => ({
    apiVersion: "eventing.knative.dev/v1",
    kind: "Broker",
    name: "b",
    ...(namespace === undefined ? {} : { namespace }),
  });
  const trigger = (namespace?: string) => ({ brokerRef: brokerRef(namespace), subscriber: SINK });
  const said = async (given: Asked): Promise<string> => {
    const answer = await admit(Trigger, { maps, refusal, ...given });
    return typeof answer === "string" ? answer : "taken";
  };
  assert.equal(await said({ spec: trigger("other"), user: "may" }), "taken");
  const denied = "validation failed: user not is not authorized to get target resource in namespace: other: spec.BrokerNamespace";
  assert.equal(await said({ spec: trigger("other"), user: "not" }), denied);
  assert.equal(await said({ spec: trigger("other"), old: trigger("other"), user: "not" }), denied);
  assert.equal(asked.length, 3);
  assert.deepEqual(asked[0], {
    verb: "knsubscribe",
    group: "eventing.knative.dev",
    version: "",
    resource: "brokers",
    subresource: "",
    namespace: "other",
    name: "b",
  });
  assert.equal(await said({ spec: trigger("n"), user: "not" }), "taken");
  assert.equal(await said({ spec: trigger(), user: "not" }), "taken");
  assert.match(await said({ spec: trigger("other"), user: "may", maps: {} }), /must not set the field\(s\): spec\.namespace/);
  assert.equal(asked.length, 3);
  const channel = { apiVersion: "messaging.knative.dev/v1", kind: "InMemoryChannel", name: "c", namespace: "other" };
  const subscription = await admit(Subscription, { maps, refusal, spec: { channel, subscriber: SINK }, user: "not" });
  assert.equal(subscription, "validation failed: user not is not authorized to get target resource in namespace: other: spec.InMemoryChannelNamespace");
  assert.equal(asked[3]?.resource, "inmemorychannels");
  assert.match(
    await said({ spec: trigger("other"), user: "may", refusal: undefined }),
    /^validation failed: failed to make authorization request to see if user can subscribe/,
  );
});
