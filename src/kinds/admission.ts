// Knative's webhook as an `Admit`: typed form, defaults, checks, in that order (serving.md §1.3).
import { badRequest, StatusError } from "#core";
import { compileKind, type AdmissionRequest, type Admit, type Admitted, type CompiledKind, type Kind, type KubeObject } from "#schema";
import { metricWebhook, podAutoscalerWebhook } from "./autoscaling/webhooks.ts";
import type { ServingConfig } from "./config/serving-config.ts";
import { certificateWebhook, ingressWebhook, serverlessServiceWebhook } from "./networking/webhooks.ts";
import type { AdmissionContext, Webhook } from "./serving/admission-context.ts";
import { goDecodeError } from "./serving/go-decode.ts";
import { roundTripped } from "./serving/round-trip.ts";
import type { Configuration } from "./serving/configuration.ts";
import { serving } from "./keys.ts";
import type { RevisionTemplate } from "./serving/revision-spec.ts";
import type { Service } from "./serving/service.ts";
import { configurationWebhook, revisionWebhook, routeWebhook, serviceWebhook } from "./serving/webhooks.ts";

const VALIDATION = 'admission webhook "validation.webhook.serving.knative.dev" denied the request: ';
const NOT_DECODED = 'admission webhook "webhook.serving.knative.dev" denied the request: mutation failed: cannot decode incoming new object: ';

/** By kind; ClusterDomainClaim and Image have no webhook. */
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
  return { config, operation: operation === "CREATE" ? "CREATE" : "UPDATE", subresource, userName: user.name, dryRun };
}

/** A text of several lines is several warnings. */
const linesOf = (text: string): string[] => (text === "" ? [] : text.split("\n"));

/** What admission asks of others. */
export interface KnativeAdmissionDeps {
  readonly config: () => ServingConfig;
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

async function admit<O extends KubeObject>(kind: CompiledKind<O>, request: AdmissionRequest<O>, deps: KnativeAdmissionDeps): Promise<Admitted<O>> {
  const { object, old, operation, subresource } = request;
  const webhook = (WEBHOOKS as Readonly<Record<string, unknown>>)[kind.kind.kind] as Webhook<O> | undefined;
  if (webhook === undefined || operation === "DELETE" || subresource === "scale") return { object, warnings: [] };
  const context = contextOf(request, deps.config());
  const undecodable = subresource === "status" ? undefined : goDecodeError(object, kind.kind.schema, kind.validate(object, old));
  if (undecodable !== undefined) throw badRequest(NOT_DECODED + undecodable);
  const typed = subresource === "status" ? object : roundTripped(object, kind.kind.schema);
  const filled = webhook.defaults(typed, old, context);
  // What the schema refuses is told by the server, which looks next; the webhook only sees what passed.
  if (kind.validate(filled, old).length > 0) return { object: filled, warnings: [] };
  const found = webhook.validate(filled, old, context);
  const warnings = linesOf(found.at("warning").render());
  const errors = found.at("error");
  if (!errors.isEmpty) throw badRequest(`${VALIDATION}validation failed: ${errors.render()}`, { warnings });
  const failure = request.dryRun ? await tryPod(filled, kind.kind.kind, deps.tryTemplate) : undefined;
  if (failure !== undefined) throw badRequest(`${VALIDATION}validation callback failed: ${failure}`, { warnings });
  return { object: filled, warnings };
}

/** Defaults, checks and warnings of a Knative kind, with the settings as they are when the request comes. */
export function knativeAdmission<O extends KubeObject>(kind: Kind<O>, deps: KnativeAdmissionDeps): Admit<O> {
  const compiled = compileKind(kind);
  return (request) => admit(compiled, request, deps);
}
