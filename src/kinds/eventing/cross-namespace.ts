// Links into other namespaces (eventing.md 4.4): whoever makes one must be allowed to subscribe to what it leads to.
import type { UserInfo } from "#schema";
import type { AccessAuthority } from "../authorization/reviews.ts";
import type { KReference } from "../duck/reference.ts";
import { fieldError, noErrors, type FieldErrors } from "../knative-field-error.ts";

export interface LinkAsked {
  /** To a Broker or a channel. */
  readonly reference: KReference;
  /** From an object of this namespace. */
  readonly namespace: string;
  readonly user: UserInfo;
}

/** Without anybody to ask nobody is allowed. */
export async function linkErrors({ reference, namespace, user }: LinkAsked, refusal: AccessAuthority["refusal"] | undefined): Promise<FieldErrors> {
  const { kind = "", apiVersion = "", group = "", name = "", namespace: target = "" } = reference;
  if (target === "" || target === namespace) return noErrors;
  const at = `spec.${kind}Namespace`;
  if (refusal === undefined) {
    return fieldError("failed to make authorization request to see if user can subscribe to resources in namespace: nobody answers it", at);
  }
  const asked = {
    verb: "knsubscribe",
    group: group === "" ? (apiVersion.split("/")[0] ?? "") : group,
    version: "",
    resource: `${kind.toLowerCase()}s`,
    subresource: "",
    namespace: target,
    name,
  };
  if ((await refusal(user, asked)) === undefined) return noErrors;
  return fieldError(`user ${user.name} is not authorized to get target resource in namespace: ${target}`, at);
}
