// What the kinds of Knative Eventing are for, in our own words.
import { statusTexts, under, whole, type Texts } from "./knative.ts";

const EVENTING = "dev.knative.eventing.v1";
const MESSAGING = "dev.knative.messaging.v1";
const FLOWS = "dev.knative.flows.v1";
const SOURCES = "dev.knative.sources.v1";

const reference: Texts = {
  address: "The name of one of its addresses.",
  apiVersion: "Its group and version.",
  group: "Its group, in place of a version of it.",
  kind: "Its kind.",
  name: "Its name.",
  namespace: "Its namespace.",
};

const destination: Texts = {
  CACerts: "Authorities that its certificate is believed for, as PEM.",
  audience: "The audience of tokens that are sent along.",
  ref: "An object that has an address.",
  ...under("ref", reference),
  uri: "A URL; beside an object it is resolved against the object's address.",
};

const to = (path: string, text: string): Texts => ({ [path]: text, ...under(path, destination) });

const delivery = (path: string): Texts => ({
  [path]: "How events are delivered, and what becomes of those that cannot be.",
  [`${path}.backoffDelay`]: "The delay before another attempt, as a period of ISO 8601.",
  [`${path}.backoffPolicy`]: "How delays grow: `linear` or `exponential`.",
  ...to(`${path}.deadLetterSink`, "Where events go that could not be delivered."),
  [`${path}.format`]: "The form of events: `json` or `binary`.",
  [`${path}.retry`]: "How many more attempts there are after the first.",
  [`${path}.retryAfterMax`]: "The longest `Retry-After` that is honoured.",
  [`${path}.timeout`]: "How long one attempt may take.",
});

const addressTexts: Texts = {
  CACerts: "Authorities of its certificate, as PEM.",
  audience: "The audience of tokens that it wants.",
  name: "The address's name.",
  url: "The URL.",
};

const address: Texts = {
  "status.address": "Where it takes events.",
  ...under("status.address", addressTexts),
  "status.addresses": "All places where it takes events.",
  ...under("status.addresses", addressTexts),
};

const policies: Texts = {
  "status.policies": "The policies that apply to it.",
  "status.policies.apiVersion": "The policy's group and version.",
  "status.policies.name": "The policy.",
};

/** What a destination was resolved to, at `status.<name>Uri` and beside it. */
const resolved = (name: string, text: string): Texts => ({
  [`status.${name}Audience`]: `The audience of tokens for ${text}.`,
  [`status.${name}CACerts`]: `Authorities of ${text}, as PEM.`,
  [`status.${name}Uri`]: `The URL of ${text}.`,
});

const deadLetters = resolved("deadLetterSink", "the dead-letter sink");

const auth: Texts = {
  "status.auth": "In whose name events are sent.",
  "status.auth.serviceAccountName": "The ServiceAccount.",
  "status.auth.serviceAccountNames": "The ServiceAccounts.",
};

const filters = (path: string): Texts => ({
  [path]: "Filters that must all let an event through, each in one dialect.",
  [`${path}.all`]: "Filters that must all let it through.",
  [`${path}.any`]: "Filters one of which must let it through.",
  [`${path}.cesql`]: "An expression of CloudEvents SQL.",
  [`${path}.exact`]: "Attributes and their values.",
  [`${path}.not`]: "A filter that must not let it through.",
  [`${path}.prefix`]: "Attributes and how their values begin.",
  [`${path}.suffix`]: "Attributes and how their values end.",
});

/** Entries of a channel's `subscribers`, at `path`. */
const subscriber = (path: string): Texts => ({
  [`${path}.auth`]: "In whose name events are sent.",
  ...delivery(`${path}.delivery`),
  [`${path}.generation`]: "The generation of the Subscription.",
  [`${path}.name`]: "Its name.",
  [`${path}.replyAudience`]: "The audience of tokens for the reply's place.",
  [`${path}.replyCACerts`]: "Authorities of the reply's place, as PEM.",
  [`${path}.replyUri`]: "Where answers go.",
  [`${path}.subscriberAudience`]: "The audience of tokens for the subscriber.",
  [`${path}.subscriberCACerts`]: "Authorities of the subscriber, as PEM.",
  [`${path}.subscriberUri`]: "Where events go.",
  [`${path}.uid`]: "The uid of the Subscription.",
});

const channel: Texts = {
  ...delivery("spec.delivery"),
  "spec.subscribers": "To whom it delivers; Subscriptions are entered here.",
  ...subscriber("spec.subscribers"),
  ...statusTexts,
  ...address,
  ...deadLetters,
  ...policies,
  "status.subscribers": "How the deliveries to its subscribers stand.",
  "status.subscribers.message": "Why it is not ready.",
  "status.subscribers.observedGeneration": "The generation of the Subscription that was acted upon.",
  "status.subscribers.ready": "Whether events are delivered to it.",
  "status.subscribers.uid": "The uid of the Subscription.",
};

const channelTemplate: Texts = {
  "spec.channelTemplate": "The kind of channel that keeps the events.",
  "spec.channelTemplate.apiVersion": "Its group and version.",
  "spec.channelTemplate.kind": "Its kind.",
  "spec.channelTemplate.spec": "Its spec.",
};

const flow: Texts = { ...channelTemplate, ...to("spec.reply", "Where the last answers go."), ...statusTexts, ...address, ...auth, ...policies };

const source: Texts = {
  "spec.ceOverrides": "What is added to events on their way.",
  "spec.ceOverrides.extensions": "Attributes and their values.",
  ...to("spec.sink", "Where events go."),
  ...statusTexts,
  ...auth,
  ...resolved("sink", "the sink"),
  "status.ceAttributes": "Which events it sends.",
  "status.ceAttributes.source": "Their source.",
  "status.ceAttributes.type": "Their type.",
};

const selector = (path: string, text: string): Texts => ({
  [path]: text,
  [`${path}.matchLabels`]: "Labels and their values.",
  [`${path}.matchExpressions`]: "What must hold of labels.",
});

export const eventingDescriptions: Readonly<Record<string, Texts>> = {
  [`${EVENTING}.Broker`]: {
    ...whole("Takes events in, and hands each to all Triggers that want it."),
    "spec.config": "The settings of its kind of Broker.",
    ...under("spec.config", reference),
    ...delivery("spec.delivery"),
    ...statusTexts,
    ...address,
    ...deadLetters,
    ...policies,
  },
  [`${EVENTING}.Trigger`]: {
    ...whole("Which events of a Broker go where."),
    "spec.broker": "The Broker, by name.",
    "spec.brokerRef": "The Broker, wherever it is.",
    ...under("spec.brokerRef", reference),
    ...delivery("spec.delivery"),
    "spec.filter": "The first way to filter: by attributes.",
    "spec.filter.attributes": "Attributes and their values; an empty value wants the attribute to be there.",
    ...filters("spec.filters"),
    ...to("spec.subscriber", "Where the events go."),
    ...statusTexts,
    ...deadLetters,
    ...auth,
    ...resolved("subscriber", "the subscriber"),
  },
  "dev.knative.eventing.v1beta3.EventType": {
    ...whole("Events that can be had, and where."),
    "spec.attributes": "What the attributes of the events are.",
    "spec.attributes.name": "The attribute.",
    "spec.attributes.required": "Whether every event has it.",
    "spec.attributes.value": "Its value, or how its values look.",
    "spec.description": "What the events are about.",
    "spec.reference": "Where they can be had.",
    ...under("spec.reference", reference),
    ...statusTexts,
  },
  [`${SOURCES}.PingSource`]: {
    ...whole("Sends the same event again and again."),
    "spec.contentType": "The type of the data.",
    "spec.data": "The data.",
    "spec.dataBase64": "The data in base64, when they are no text.",
    "spec.schedule": "When: a line of cron, with seconds before it where there are six fields.",
    "spec.timezone": "The time zone of the schedule.",
    ...source,
  },
  [`${SOURCES}.ApiServerSource`]: {
    ...whole("Sends an event for each change of an object."),
    ...filters("spec.filters"),
    "spec.mode": "`Reference` sends where the object is, `Resource` the whole of it.",
    ...selector("spec.namespaceSelector", "In which namespaces; an empty one is all, none is its own."),
    "spec.owner": "Only objects that are owned by one of this type.",
    "spec.owner.apiVersion": "Its group and version.",
    "spec.owner.kind": "Its kind.",
    "spec.resources": "The types of the objects.",
    "spec.resources.apiVersion": "Their group and version.",
    "spec.resources.kind": "Their kind.",
    ...selector("spec.resources.selector", "Their labels."),
    "spec.serviceAccountName": "In whose name objects are read.",
    ...source,
    "status.namespaces": "The namespaces that are looked at.",
  },
  [`${SOURCES}.ContainerSource`]: { ...whole("Pods that send events of their own making."), "spec.template": "The pods.", ...source },
  [`${SOURCES}.SinkBinding`]: {
    ...whole("Tells the pods of a workload where their events go."),
    "spec.subject": "The workload.",
    "spec.subject.apiVersion": "Its group and version.",
    "spec.subject.kind": "Its kind.",
    "spec.subject.name": "Its name.",
    "spec.subject.namespace": "Its namespace, which is the binding's.",
    ...selector("spec.subject.selector", "Its labels, for all that have them."),
    ...source,
    "status.oidcTokenSecretName": "The Secret with the token that is sent along.",
  },
  [`${MESSAGING}.Channel`]: {
    ...whole("Takes events in, and hands each to all its Subscriptions."),
    ...channel,
    ...channelTemplate,
    "status.channel": "The channel that keeps the events.",
    ...under("status.channel", reference),
  },
  [`${MESSAGING}.InMemoryChannel`]: { ...whole("The channel that needs nothing else; its events are on disk all the same."), ...channel },
  [`${MESSAGING}.Subscription`]: {
    ...whole("Where the events of a channel go, and where the answers to them go."),
    "spec.channel": "The channel.",
    ...under("spec.channel", reference),
    ...delivery("spec.delivery"),
    ...to("spec.reply", "Where answers go."),
    ...to("spec.subscriber", "Where events go."),
    ...statusTexts,
    ...auth,
    "status.physicalSubscription": "Everything resolved.",
  },
  [`${FLOWS}.Sequence`]: {
    ...whole("Steps that events go through; each gets what the one before it answered."),
    "spec.steps": "The steps.",
    ...under("spec.steps", destination),
    ...delivery("spec.steps.delivery"),
    ...flow,
    "status.channelStatuses": "The channels of the steps.",
    "status.subscriptionStatuses": "The Subscriptions of the steps.",
  },
  [`${FLOWS}.Parallel`]: {
    ...whole("Branches; an event goes to each whose filter lets it through."),
    "spec.branches": "The branches.",
    ...delivery("spec.branches.delivery"),
    ...to("spec.branches.filter", "Answers with the event, or with nothing to stop it."),
    ...to("spec.branches.reply", "Where answers go."),
    ...to("spec.branches.subscriber", "Where events go."),
    ...flow,
    "status.branchStatuses": "The channels and Subscriptions of the branches.",
    "status.ingressChannelStatus": "The channel that takes events in.",
  },
};
