// Knative's webhooks as a cluster calls them: an admission.k8s.io/v1 AdmissionReview in, one out. The texts stay Knative's.
import { badRequest, statusOf, StatusError, unreachable } from "#core";
import { jsonPatchBetween, type AdmissionRequest, type Kind, type KubeObject } from "#schema";
import { knativeWebhooks, type KnativeAdmissionDeps } from "./admission.ts";
import { checkConfigMap } from "./config/admission.ts";
import type { ConfigMapObject } from "./config/default-config-maps.ts";
import type { KnativeWebhooks } from "./webhook-pair.ts";

/** Where each webhook is asked, as at Knative's own. */
export const REVIEW_PATHS = { mutate: "/defaulting", validate: "/resource-validation", checkConfig: "/config-validation" } as const;

type ReviewPath = (typeof REVIEW_PATHS)[keyof typeof REVIEW_PATHS];

function isOurs(path: string): path is ReviewPath {
  return Object.values<string>(REVIEW_PATHS).includes(path);
}

/** What of a review's request is read. */
interface ReviewRequest {
  readonly uid: string;
  readonly kind: { readonly group: string; readonly kind: string };
  readonly subResource?: string;
  readonly operation: string;
  readonly userInfo?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[] };
  readonly object?: KubeObject | null;
  readonly oldObject?: KubeObject | null;
  readonly dryRun?: boolean;
}

interface Verdict {
  readonly allowed: boolean;
  readonly status?: object;
  readonly patchType?: "JSONPatch";
  readonly patch?: string;
  readonly warnings?: readonly string[];
}

export interface ReviewedKinds extends KnativeAdmissionDeps {
  /** Kinds without webhooks are let through. */
  readonly kinds: readonly Kind[];
}

/** Answers one review. Throws StatusError `BadRequest` for what is none, `NotFound` for a path that is not ours. */
export type AnswerReview = (path: string, review: unknown) => Promise<object>;

const OPERATIONS: readonly unknown[] = ["CREATE", "UPDATE", "DELETE"];

function requestOf(review: unknown): ReviewRequest {
  const request = (review as { readonly request?: Partial<ReviewRequest> } | null)?.request;
  if (typeof request?.uid !== "string" || typeof request.kind?.kind !== "string" || !OPERATIONS.includes(request.operation)) {
    throw badRequest("the body is no AdmissionReview of admission.k8s.io/v1 with a request");
  }
  return request as ReviewRequest;
}

function admissionRequest(request: ReviewRequest): AdmissionRequest {
  const { operation, subResource = "", userInfo = {}, object, oldObject, dryRun } = request;
  const user = { name: userInfo.username ?? "", groups: userInfo.groups ?? [], ...(userInfo.uid === undefined ? {} : { uid: userInfo.uid }) };
  return {
    operation: operation as AdmissionRequest["operation"],
    subresource: subResource as AdmissionRequest["subresource"],
    user,
    dryRun: dryRun === true,
    object: object as KubeObject,
    old: oldObject ?? undefined,
  };
}

function allowed(warnings: readonly string[] = []): Verdict {
  return { allowed: true, ...(warnings.length === 0 ? {} : { warnings }) };
}

function mutated(webhooks: KnativeWebhooks, request: AdmissionRequest): Verdict {
  const steps = jsonPatchBetween(request.object, webhooks.mutate(request));
  if (steps.length === 0) return allowed();
  return { allowed: true, patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(steps)).toString("base64") };
}

/** What a refusal is; other errors are faults of ours, and the cluster's to report. */
function refused(error: unknown): Verdict {
  if (!(error instanceof StatusError)) throw error;
  return { allowed: false, status: statusOf(error), ...(error.warnings.length === 0 ? {} : { warnings: error.warnings }) };
}

export function reviewAnswerer(deps: ReviewedKinds): AnswerReview {
  const webhooks = new Map(deps.kinds.map((kind) => [`${kind.group} ${kind.kind}`, knativeWebhooks(kind, deps)]));
  const judge = async (path: ReviewPath, wire: ReviewRequest): Promise<Verdict> => {
    const request = admissionRequest(wire);
    const own = webhooks.get(`${wire.kind.group} ${wire.kind.kind}`);
    switch (path) {
      case REVIEW_PATHS.mutate:
        return own === undefined || request.operation === "DELETE" ? allowed() : mutated(own, request);
      case REVIEW_PATHS.validate:
        return own === undefined ? allowed() : allowed(await own.validate(request));
      case REVIEW_PATHS.checkConfig:
        if (wire.kind.group === "" && wire.kind.kind === "ConfigMap") checkConfigMap(request as AdmissionRequest<ConfigMapObject>);
        return allowed();
      default:
        return unreachable(path);
    }
  };
  return async (path, review) => {
    if (!isOurs(path)) throw new StatusError("NotFound", `no webhook is served at ${path}`);
    const request = requestOf(review);
    const verdict = await judge(path, request).catch(refused);
    return { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: { uid: request.uid, ...verdict } };
  };
}
