// Defaults and checks of Sequences and Parallels (eventing.md §1.10, §1.11).
import { checkDelivery } from "../duck/delivery.ts";
import { checkDestination, destinationDefaults, type Destination } from "../duck/destination.ts";
import { rulesFor, type EventingWebhook } from "../eventing/admission-context.ts";
import { eachOf, missingField, noErrors, type FieldErrors } from "../knative-field-error.ts";
import { checkTemplate, withTemplate } from "../messaging/channel-template.ts";
import type { Parallel, ParallelBranch, ParallelSpec } from "./parallel.ts";
import type { Sequence, SequenceSpec } from "./sequence.ts";

const filled = (destination: Destination | undefined, namespace: string): Destination | undefined =>
  destination === undefined ? undefined : destinationDefaults(destination, namespace);

export const sequenceWebhook: EventingWebhook<Sequence> = {
  defaults(sequence, context) {
    const namespace = sequence.metadata.namespace ?? "";
    const spec = withTemplate(sequence.spec, namespace, context);
    const reply = filled(spec.reply, namespace);
    // No list at all is for the schema to refuse.
    const steps = (spec.steps as SequenceSpec["steps"] | null)?.map((step) => destinationDefaults(step, namespace)) ?? spec.steps;
    return { ...sequence, spec: { ...spec, steps, ...(reply === undefined ? {} : { reply }) } };
  },
  validate(sequence, _old, context) {
    const { steps, reply } = sequence.spec;
    const { namespace: _, ...rules } = rulesFor(sequence, context);
    const inSteps = eachOf(steps, (step) => checkDestination(step, rules).also(checkDelivery(step.delivery, rules).viaField("delivery")));
    return (steps.length === 0 ? missingField("steps") : noErrors)
      .also(inSteps.viaField("steps"), checkTemplate(sequence.spec), reply === undefined ? noErrors : checkDestination(reply, rules).viaField("reply"))
      .viaField("spec");
  },
};

function branchDefaults(branch: ParallelBranch, namespace: string): ParallelBranch {
  const filter = filled(branch.filter, namespace);
  const reply = filled(branch.reply, namespace);
  return {
    ...branch,
    subscriber: destinationDefaults((branch as Partial<ParallelBranch>).subscriber ?? {}, namespace),
    ...(filter === undefined ? {} : { filter }),
    ...(reply === undefined ? {} : { reply }),
  };
}

export const parallelWebhook: EventingWebhook<Parallel> = {
  defaults(parallel, context) {
    const namespace = parallel.metadata.namespace ?? "";
    const spec = withTemplate(parallel.spec, namespace, context);
    const reply = filled(spec.reply, namespace);
    const branches = (spec.branches as ParallelSpec["branches"] | null)?.map((branch) => branchDefaults(branch, namespace)) ?? spec.branches;
    return { ...parallel, spec: { ...spec, branches, ...(reply === undefined ? {} : { reply }) } };
  },
  validate(parallel, _old, context) {
    const { branches, reply } = parallel.spec;
    const { namespace: _, ...rules } = rulesFor(parallel, context);
    const optional = (destination: Destination | undefined, name: string): FieldErrors =>
      destination === undefined ? noErrors : checkDestination(destination, rules).viaField(name);
    const inBranches = eachOf(branches, ({ filter, subscriber, reply: answer, delivery }) =>
      optional(filter, "filter").also(optional(subscriber, "subscriber"), optional(answer, "reply"), checkDelivery(delivery, rules).viaField("delivery")),
    );
    return (branches.length === 0 ? missingField("branches") : noErrors)
      .also(inBranches.viaField("branches"), checkTemplate(parallel.spec), optional(reply, "reply"))
      .viaField("spec");
  },
};
