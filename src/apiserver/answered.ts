// Kinds whose objects are questions: what is posted is read as any object, answered, and stored nowhere.
import type { KubeObject } from "#schema";
import { receive, type JsonBody } from "./body.ts";
import { invalid } from "./errors.ts";
import { asSent, ownersAfter, trackedWrite, withOwners } from "./ownership.ts";
import type { ServedKind } from "./port.ts";
import type { Resource } from "./registry.ts";
import type { WriteContext, WriteTools } from "./writing.ts";

/** Throws Invalid for a question that asks nothing, and what the answer throws. The group is all that such an error names. */
export async function answered(
  { clock }: Pick<WriteTools, "clock">,
  { resource, namespace }: { readonly resource: Resource; readonly namespace: string },
  { body, answer }: { readonly body: JsonBody; readonly answer: NonNullable<ServedKind["answer"]> },
  context: WriteContext,
): Promise<KubeObject> {
  const { fieldValidation, warn, user } = context;
  const sent = receive(resource, body, { namespace, name: "", fieldValidation, warn });
  const owned = withOwners(sent, ownersAfter(trackedWrite(resource, "", context, clock), undefined, asSent(sent, body.json)));
  // What all objects must have, a name for one, is not asked of them.
  const errors = resource.kind.validate?.(owned, undefined) ?? [];
  if (errors.length > 0) throw invalid({ group: resource.kind.group, kind: "" }, "", errors);
  return answer(owned, { user, namespace });
}
