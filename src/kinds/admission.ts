// Knative's webhooks: typed form and defaults, then checks (serving.md §1.3); together as an `Admit`, or apart for a cluster.
import { badRequest, StatusError } from "#core";
import { compileKind, type AdmissionRequest, type Admit, type CompiledKind, type Kind, type KubeObject } from "#schema";
import type { AccessAuthority } from "./authorization/reviews.ts";
import { eventingWebhooks } from "./eventing/admission.ts";
import { defaultEventingConfig, type EventingConfig } from "./eventing-config/eventing-config.ts";
import { metricWebhook, podAutoscalerWebhook } from "./autoscaling/webhooks.ts";
import type { ServingConfig } from "./config/serving-config.ts";
import { certificateWebhook, ingressWebhook, serverlessServiceWebhook } from "./networking/webhooks.ts";
import type { AdmissionContext, Webhook } from "./serving/admission-context.ts";
import { goDecodeError } from "./serving/go-decode.ts";
import { roundTripped } from "./serving/round-trip.ts";
import type { Configuration } from "./serving/configuration.ts";
import { denied } from "./denied.ts";
import { serving } from "./keys.ts";
import type { RevisionTemplate } from "./serving/revision-spec.ts";
import type { Service } from "./serving/service.ts";
import type { KnativeWebhooks } from "./webhook-pair.ts";
import { configurationWebhook, revisionWebhook, routeWebhook, serviceWebhook } from "./serving/webhooks.ts";

export const DEFAULTING = "webhook.serving.knative.dev";
export const VALIDATION = "validation.webhook.serving.knative.dev";

/** Of Serving, by kind; ClusterDomainClaim and Image have no webhook. */
const WEBHOOKS = {
  Service: serviceWebhook,
  Configuration: configurationWebhook,
  Revision: revisionWebhook,
  Route: routeWebhook,
  PodAutoscaler: podAutoscalerWebhook,
  Metric: metricWebhook,
  Ingress: ingressWebhook,
  ServerlessService: serverlessServiceWebhook,
  Certificate: certificateWebhook,
} as const;

function contextOf(request: AdmissionRequest, config: ServingConfig): AdmissionContext {
  const { operation, subresource, user, dryRun } = request;
  return {
    config,
    operation: operation === "CREATE" ? "CREATE" : "UPDATE",
    subresource: subresource === "status" || subresource === "scale" ? subresource : "",
    userName: user.name,
    dryRun,
  };
}

/** A text of several lines is several warnings. */
const linesOf = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** What admission asks of others. */
export interface KnativeAdmissionDeps {
  readonly config: () => ServingConfig;
  /** The settings of Eventing; by default those that Knative ships. */
  readonly eventing?: () => EventingConfig;
  /** Who may do what: asked where a link leads into another namespace. */
  readonly refusal?: AccessAuthority["refusal"] | undefined;
  /** Tries, without keeping it, the pod that a Revision of this template would have; a StatusError says what is wrong with it. */
  readonly tryTemplate: (template: RevisionTemplate, namespace: string) => Promise<void>;
}

/** The template that a dry run tries: a Service's, and that of a Configuration that no Service owns. */
function templateToTry(object: KubeObject, kind: string): RevisionTemplate | undefined {
  if (kind === "Service") return (object as Service).spec.template;
  if (kind !== "Configuration" || (object.metadata.labels?.[serving.service] ?? "") !== "") return undefined;
  return (object as Configuration).spec.template;
}

async function tryPod(object: KubeObject, kind: string, tryTemplate: KnativeAdmissionDeps["tryTemplate"]): Promise<string | undefined> {
  const template = templateToTry(object, kind);
  if (template === undefined) return undefined;
  try {
    await tryTemplate(template, object.metadata.namespace ?? "");
    return undefined;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    return `dry run failed with ${error.message}: spec.template`;
  }
}

function mutated<O extends KubeObject>(kind: CompiledKind<O>, webhook: Webhook<O>, request: AdmissionRequest<O>, config: ServingConfig): O {
  const { object, old, subresource } = request;
  const undecodable = subresource === "status" ? undefined : goDecodeError(object, kind.kind.schema, kind.validate(object, old));
  if (undecodable !== undefined) throw badRequest(`mutation failed: cannot decode incoming new object: ${undecodable}`);
  const typed = subresource === "status" ? object : roundTripped(object, kind.kind.schema);
  return webhook.defaults(typed, old, contextOf(request, config));
}

async function checked<O extends KubeObject>(
  kind: CompiledKind<O>,
  webhook: Webhook<O>,
  request: AdmissionRequest<O>,
  { config, tryTemplate }: KnativeAdmissionDeps,
): Promise<readonly string[]> {
  const { object, old, dryRun } = request;
  const found = webhook.validate(object, old, contextOf(request, config()));
  const warnings = linesOf(found.at("warning").render());
  const errors = found.at("error");
  if (!errors.isEmpty) throw badRequest(`validation failed: ${errors.render()}`, { warnings });
  const failure = dryRun ? await tryPod(object, kind.kind.kind, tryTemplate) : undefined;
  if (failure !== undefined) throw badRequest(`validation callback failed: ${failure}`, { warnings });
  return warnings;
}

function isLookedAt({ operation, subresource }: AdmissionRequest): boolean {
  return operation !== "DELETE" && subresource !== "scale";
}

/** The webhooks of a Knative kind with the settings as they are when the request comes; undefined for kinds that have none. */
export function knativeWebhooks<O extends KubeObject>(kind: Kind<O>, deps: KnativeAdmissionDeps): KnativeWebhooks<O> | undefined {
  const webhook = (WEBHOOKS as Readonly<Record<string, unknown>>)[kind.kind] as Webhook<O> | undefined;
  if (webhook === undefined) return eventingWebhooks(kind, { config: deps.eventing ?? defaultEventingConfig, refusal: deps.refusal });
  const compiled = compileKind(kind);
  return {
    names: { defaulting: DEFAULTING, validation: VALIDATION },
    mutate: (request) => (isLookedAt(request) ? mutated(compiled, webhook, request, deps.config()) : request.object),
    validate: async (request) => (isLookedAt(request) ? checked(compiled, webhook, request, deps) : []),
  };
}

/** Both webhooks and what the server does between them, as one step. */
export function knativeAdmission<O extends KubeObject>(kind: Kind<O>, deps: KnativeAdmissionDeps): Admit<O> {
  const webhooks = knativeWebhooks(kind, deps);
  const compiled = compileKind(kind);
  const named = (name: string, error: unknown): unknown => (error instanceof StatusError ? denied(name, error) : error);
  return async (request) => {
    if (webhooks === undefined || !isLookedAt(request)) return { object: request.object, warnings: [] };
    let object: O;
    try {
      object = webhooks.mutate(request);
    } catch (error) {
      throw named(webhooks.names.defaulting, error);
    }
    // What the schema refuses is told by the server, which looks next; the second webhook only sees what passed.
    if (compiled.validate(object, request.old).length > 0) return { object, warnings: [] };
    try {
      return { object, warnings: await webhooks.validate({ ...request, object }) };
    } catch (error) {
      throw named(webhooks.names.validation, error);
    }
  };
}
