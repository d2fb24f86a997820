// Questions about who somebody is and what he may do, as objects that are posted and answered, and stored nowhere. Authorization answers them.
import { badRequest, rfc3339 } from "#core";
import { type FieldError, type Kind, type KubeObject, type UserInfo } from "#schema";
import type { SelfSubjectReview as SelfSubjectReviewObject } from "../authentication/v1.types.ts";
import { builtin } from "../core/builtin.ts";
import { definitions } from "./definitions.ts";
import { localErrors, reviewErrors, selfReviewErrors } from "./review-checks.ts";
import type {
  LocalSubjectAccessReview as LocalSubjectAccessReviewObject,
  SelfSubjectAccessReview as SelfSubjectAccessReviewObject,
  SelfSubjectRulesReview as SelfSubjectRulesReviewObject,
  SubjectAccessReview as SubjectAccessReviewObject,
  SubjectAccessReviewSpec,
  SubjectRulesReviewStatus,
} from "./v1.types.ts";

export type SelfSubjectReview = SelfSubjectReviewObject;
export type SelfSubjectAccessReview = SelfSubjectAccessReviewObject;
export type SelfSubjectRulesReview = SelfSubjectRulesReviewObject;
export type SubjectAccessReview = SubjectAccessReviewObject;
export type LocalSubjectAccessReview = LocalSubjectAccessReviewObject;
export type AccessRules = Pick<SubjectRulesReviewStatus, "resourceRules" | "nonResourceRules" | "incomplete">;

/** What is to be done, as authorization sees it; `path` for what concerns no resource. */
export interface AskedAccess {
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  readonly path?: string;
}

/** Who answers. */
export interface AccessAuthority {
  /** The reason of a refusal ("" for none to give), or undefined to allow. The user may be one of whom only the name is known. */
  readonly refusal: (user: UserInfo, asked: AskedAccess) => Promise<string | undefined>;
  readonly rules: (user: UserInfo, namespace: string) => AccessRules;
  /** Wall-clock. */
  readonly nowMs: () => number;
}

/** A kind of question with its answer. */
export interface ReviewKind {
  readonly kind: Kind;
  answer(sent: KubeObject, by: { readonly user: UserInfo; readonly namespace: string }): Promise<KubeObject>;
}

const shared = { group: "authorization.k8s.io", columns: [], subresources: {}, definitions } as const;

function review<O extends KubeObject>(kind: string, scope: Kind["scope"], validate?: (sent: O) => FieldError[]): Kind<O> {
  const definition = `io.k8s.api.authorization.v1.${kind}`;
  return builtin<O>({ ...shared, kind, plural: `${kind.toLowerCase()}s`, scope, definition, ...(validate === undefined ? {} : { validate }) });
}

export const SelfSubjectReview = builtin<SelfSubjectReview>({
  ...shared,
  group: "authentication.k8s.io",
  kind: "SelfSubjectReview",
  plural: "selfsubjectreviews",
  scope: "Cluster",
  definition: "io.k8s.api.authentication.v1.SelfSubjectReview",
});
export const SelfSubjectAccessReview = review<SelfSubjectAccessReview>("SelfSubjectAccessReview", "Cluster", selfReviewErrors);
export const SelfSubjectRulesReview = review<SelfSubjectRulesReview>("SelfSubjectRulesReview", "Cluster");
export const SubjectAccessReview = review<SubjectAccessReview>("SubjectAccessReview", "Cluster", reviewErrors);
export const LocalSubjectAccessReview = review<LocalSubjectAccessReview>("LocalSubjectAccessReview", "Namespaced", localErrors);

function askedOf({ resourceAttributes, nonResourceAttributes }: Pick<SubjectAccessReviewSpec, "resourceAttributes" | "nonResourceAttributes">): AskedAccess {
  const { verb = "", group = "", version = "", resource = "", subresource = "", namespace = "", name = "" } = resourceAttributes ?? {};
  const asked = { verb, group, version, resource, subresource, namespace, name };
  return nonResourceAttributes === undefined ? asked : { ...asked, verb: nonResourceAttributes.verb ?? "", path: nonResourceAttributes.path ?? "" };
}

/** All of them, in the order of their names. */
export function accessReviews({ refusal, rules, nowMs }: AccessAuthority): readonly ReviewKind[] {
  const answered = async <O extends KubeObject & { readonly spec: SubjectAccessReviewSpec }>(sent: O, user: UserInfo): Promise<O> => {
    const reason = await refusal(user, askedOf(sent.spec));
    return { ...sent, status: { allowed: reason === undefined, ...(reason === undefined || reason === "" ? {} : { reason }) } };
  };
  const of = <O extends KubeObject>(kind: Kind<O>, answer: (sent: O, by: { readonly user: UserInfo }) => Promise<O>): ReviewKind =>
    ({ kind, answer }) as unknown as ReviewKind;
  return [
    of(LocalSubjectAccessReview, (sent) => answered(sent, userOf(sent.spec))),
    of(SelfSubjectAccessReview, (sent, { user }) => answered(sent, user)),
    of(SelfSubjectRulesReview, async (sent, { user }) => {
      const { namespace = "" } = sent.spec;
      if (namespace === "") throw badRequest("no namespace on request");
      return { ...sent, metadata: {}, spec: {}, status: rules(user, namespace) } as SelfSubjectRulesReview;
    }),
    of(SubjectAccessReview, (sent) => answered(sent, userOf(sent.spec))),
    of(SelfSubjectReview, async ({ apiVersion, kind }, { user }) => selfReview({ apiVersion, kind }, user, nowMs())),
  ];
}

function userOf({ user = "", groups = [], uid }: SubjectAccessReviewSpec): UserInfo {
  return { name: user, groups, ...(uid === undefined ? {} : { uid }) };
}

function selfReview(type: Pick<KubeObject, "apiVersion" | "kind">, { name, uid, groups }: UserInfo, nowMs: number): SelfSubjectReview {
  const userInfo = { username: name, ...(uid === undefined ? {} : { uid }), groups: [...groups] };
  return { ...type, metadata: { creationTimestamp: rfc3339(nowMs) } as SelfSubjectReview["metadata"], status: { userInfo } };
}
